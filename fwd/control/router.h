// From a request to its handler: path, method and right, all decided before a byte of the body is
// read.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/api/error.h"
#include "fwd/control/access.h"
#include "fwd/control/peer.h"

namespace fwd::control {

struct Request {
  Peer peer;
  std::string method;
  std::string path;
  std::string argument;  // what stands for the `*` of the route's path
  std::map<std::string, std::string> query;
  std::string body;
  std::string sudo_uid = {};  // as the client says, where it runs under sudo
};

inline constexpr std::string_view kJson = "application/json";

struct Response {
  unsigned status = 200;
  std::string body;
  std::string allow;  // with 405: the methods that this path has
  std::string_view content_type = kJson;
};

Response error_response(const ctl::api::Error& error);
// For what has no code of its own: 404 for a path, 405, 411.
Response error_response(unsigned status, std::string message);

// A body of the route's type, or why there is none.
using Answer = std::expected<std::string, ctl::api::Error>;
using Handler = std::function<Answer(const Request&)>;

struct Route {
  std::string_view method;
  std::string_view path;  // may end in "/*", which stands for one segment
  Right right;
  Handler handler;
  std::string_view content_type = kJson;  // of an answer; errors are JSON always
};

class Router {
 public:
  // Called for a change that the peer has no right to.
  using Refused = std::function<void(const Request&, const std::string& why)>;

  Router(std::vector<Route> routes, Access access, Refused refused = {})
      : routes_(std::move(routes)), access_(std::move(access)), refused_(std::move(refused)) {}

  // The route for method and path if the peer may take it. Fills in the argument.
  std::expected<const Route*, Response> admit(Request& request) const;

  // Whatever a handler throws ends here, as an internal error.
  static Response run(const Route& route, const Request& request) noexcept;

 private:
  std::vector<Route> routes_;
  Access access_;
  Refused refused_;
};

}  // namespace fwd::control

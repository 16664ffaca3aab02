// The way to the daemon: Client::call() sends one request over the Unix socket and gives back the
// answer's body.
#pragma once

#include <expected>
#include <functional>
#include <string>

#include "ctl/api/error.h"
#include "ctl/http.h"

namespace ctl {

inline constexpr const char* kDefaultSocket = "/run/fwd/fwd.sock";

// What commands see of the daemon. Tests put a function of their own here.
using Exchange = std::function<std::expected<Reply, api::Error>(const Request&)>;

class Client {
 public:
  // `sudo_uid` as in request_head().
  explicit Client(std::string socket, std::string sudo_uid = {})
      : socket_(std::move(socket)), sudo_uid_(std::move(sudo_uid)) {}

  // Unreachable, also when the answer makes no sense or takes too long; NotPermitted where the
  // socket says so.
  std::expected<Reply, api::Error> exchange(const Request& request) const;

 private:
  std::string socket_;
  std::string sudo_uid_;
};

// The body of a 2xx answer; what the daemon says is wrong otherwise.
std::expected<std::string, api::Error> body_of(Reply reply);

}  // namespace ctl

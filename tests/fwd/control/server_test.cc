#include "fwd/control/server.h"

#include <cstdlib>
#include <filesystem>
#include <thread>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "fwd/control/listener.h"
#include "tests/fwd/control/unix_client.h"

namespace {

using namespace fwd::control;
using namespace fwd::control::test;

constexpr uid_t kStranger = 65534;

class Served {
 public:
  explicit Served(const Limits& limits = {}) {
    char name[] = "/tmp/fwd-control-XXXXXX";
    directory_ = mkdtemp(name);
    std::filesystem::permissions(directory_, std::filesystem::perms(0755));
    auto listener = listen_on(path());
    REQUIRE(listener);
    const auto echo = [](const Request& request) -> Answer {
      return "{\"argument\":\"" + request.argument +
             "\",\"bytes\":" + std::to_string(request.body.size()) + "}";
    };
    std::vector<Route> routes = {
        {"GET", "/v1/status", Right::Read, echo},
        {"GET", "/v1/sets/*", Right::Read, echo},
        {"POST", "/v1/sets/*", Right::Change, echo},
        {"POST", "/v1/rules", Right::Change,
         [](const Request& request) -> Answer {
           if (request.body != "{}") {
             return std::unexpected(
                 ctl::api::Error{ctl::api::ErrorCode::BadRequest, "is not JSON", {}});
           }
           return "{\"select\":\"" + request.query.at("select") + "\"}";
         }},
        {"GET", "/v1/slow", Right::Read,
         [](const Request&) -> Answer {
           std::this_thread::sleep_for(std::chrono::milliseconds(2500));
           return "{}";
         }},
    };
    auto started = Server::start(std::move(*listener),
                                 Router(std::move(routes), Access::look_up({}, getuid())), limits);
    REQUIRE(started);
    server_ = std::move(*started);
  }
  ~Served() {
    server_.reset();
    std::filesystem::remove_all(directory_);
  }

  std::string path() const { return directory_ + "/fwd.sock"; }
  Server& server() { return *server_; }

  std::string exchange(const std::string& text) const { return exchange(connect_to(path()), text); }
  static std::string exchange(const fwd::UniqueFd& client, const std::string& text) {
    REQUIRE(client.valid());
    REQUIRE(send_all(client.get(), text));
    return read_to_end(client.get()).value_or("(no answer)");
  }

 private:
  std::string directory_;
  std::unique_ptr<Server> server_;
};

std::string status_line(const std::string& answer) {
  return answer.substr(0, answer.find("\r\n"));
}

nlohmann::json error_of(const std::string& answer) {
  return nlohmann::json::parse(answer.substr(answer.find("\r\n\r\n") + 4)).at("error");
}

TEST_CASE("a request reaches the handler of its path and method") {
  const Served served;
  const std::string answer = served.exchange(request("GET", "/v1/status"));
  CHECK(status_line(answer) == "HTTP/1.1 200 OK");
  CHECK(answer.find("Content-Type: application/json\r\n") != std::string::npos);
  CHECK(answer.ends_with(R"({"argument":"","bytes":0})"));
  CHECK(served.exchange(request("POST", "/v1/sets/peers", "12345"))
            .ends_with(R"({"argument":"peers","bytes":5})"));
  CHECK(served.exchange(request("POST", "/v1/rules?select=80%2ftcp", "{}"))
            .ends_with(R"({"select":"80/tcp"})"));
}

TEST_CASE("an unknown path is 404, a wrong method 405 with the right ones") {
  const Served served;
  for (const char* path : {"/", "/v1", "/v1/statu", "/v1/status/", "/v1/sets/", "/v1/sets/a/b"}) {
    INFO(path);
    const std::string answer = served.exchange(request("GET", path));
    CHECK(status_line(answer) == "HTTP/1.1 404 Not Found");
    CHECK(error_of(answer).at("message") == "no such path: " + std::string(path));
  }
  const std::string answer = served.exchange(request("DELETE", "/v1/sets/peers"));
  CHECK(status_line(answer) == "HTTP/1.1 405 Method Not Allowed");
  CHECK(answer.find("Allow: GET, POST\r\n") != std::string::npos);
  CHECK(error_of(answer).at("message") == "DELETE can't be done on /v1/sets/peers, only GET, POST");
}

TEST_CASE("who has no right is told who has, before the body is read") {
  if (getuid() != 0) return;
  const Served served;
  const auto as_stranger = [&](const std::string& text) {
    return Served::exchange(connect_as(kStranger, served.path()), text);
  };
  const std::string reading = as_stranger(request("GET", "/v1/status"));
  CHECK(status_line(reading) == "HTTP/1.1 403 Forbidden");
  CHECK(error_of(reading).at("code") == "not_permitted");
  CHECK(error_of(reading).at("message") ==
        "uid 65534 may not read the firewall: that is for root and the groups fwd-read and "
        "fwd-admin");
  const std::string changing = as_stranger(
      "POST /v1/rules HTTP/1.1\r\nHost: fwd\r\nConnection: close\r\nContent-Length: 100\r\n\r\n");
  CHECK(error_of(changing).at("message") ==
        "uid 65534 may not change the firewall: that is for root and the group fwd-admin");
  CHECK(status_line(as_stranger(request("GET", "/v1/nothing"))) == "HTTP/1.1 403 Forbidden");
}

TEST_CASE("a body that is too large is refused by its announced length") {
  Limits limits;
  limits.body_bytes = 1000;
  const Served served(limits);
  const auto post = [&](const std::string& headers) {
    return served.exchange("POST /v1/rules HTTP/1.1\r\nHost: fwd\r\nConnection: close\r\n" +
                           headers + "\r\n");
  };
  const std::string answer = post("Content-Length: 1001\r\n");
  CHECK(status_line(answer) == "HTTP/1.1 413 Content Too Large");
  CHECK(error_of(answer).at("code") == "too_large");
  CHECK(status_line(post("Transfer-Encoding: chunked\r\n")) == "HTTP/1.1 411 Length Required");
  CHECK(status_line(post("Content-Length: 99999999999999999999999\r\n")).starts_with("HTTP/1.1 4"));
  CHECK(status_line(post("Content-Length: -1\r\n")).starts_with("HTTP/1.1 4"));
  CHECK(served.exchange(request("POST", "/v1/sets/peers", std::string(1000, 'x')))
            .ends_with("\"bytes\":1000}"));
}

TEST_CASE("a handler's error has its HTTP status, and an exception is a 500") {
  const Served served;
  const std::string bad = served.exchange(request("POST", "/v1/rules?select=1", "nonsense"));
  CHECK(status_line(bad) == "HTTP/1.1 400 Bad Request");
  CHECK(error_of(bad).at("message") == "is not JSON");
  const std::string thrown = served.exchange(request("POST", "/v1/rules", "{}"));
  CHECK(status_line(thrown) == "HTTP/1.1 500 Internal Server Error");
  CHECK(error_of(thrown).at("code") == "internal");
}

TEST_CASE("what isn't HTTP, and headers without end, cost nothing") {
  const Served served;
  CHECK_FALSE(served.exchange("\x16\x03\x01 hello\r\n\r\n").starts_with("HTTP/1.1 200"));
  const std::string answer = served.exchange(
      "GET /v1/status HTTP/1.1\r\nHost: fwd\r\nX: " + std::string(9000, 'x') + "\r\n\r\n");
  CHECK(status_line(answer).starts_with("HTTP/1.1 4"));
  CHECK(served.exchange(request("GET", "/v1/status")).starts_with("HTTP/1.1 200"));
}

TEST_CASE("an idle client and a slow one are cut off, others are served meanwhile") {
  Limits limits;
  limits.idle = std::chrono::seconds(1);
  limits.request = std::chrono::seconds(2);
  Served served(limits);
  const auto idle = connect_to(served.path());
  const auto slow = connect_to(served.path());
  const auto start = Clock::now();
  bool slow_open = send_all(slow.get(), "GET /v1/status HTTP/1.1\r\nX: ");
  while (slow_open && Clock::now() < start + std::chrono::seconds(5)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    served.server().sweep();
    slow_open = send_all(slow.get(), "x");
  }
  CHECK_FALSE(slow_open);
  CHECK(Clock::now() - start >= std::chrono::seconds(2));
  CHECK(read_to_end(idle.get(), std::chrono::milliseconds(100)) == "");
  CHECK(served.exchange(request("GET", "/v1/status")).starts_with("HTTP/1.1 200"));
}

TEST_CASE("a handler may take longer than a client") {
  Limits limits;
  limits.idle = std::chrono::seconds(1);
  limits.request = std::chrono::seconds(1);
  Served served(limits);
  const auto client = connect_to(served.path());
  REQUIRE(send_all(client.get(), request("GET", "/v1/slow")));
  std::this_thread::sleep_for(std::chrono::seconds(2));
  served.server().sweep();
  CHECK(read_to_end(client.get()).value_or("").starts_with("HTTP/1.1 200"));
}

TEST_CASE("one user can't hold all connections, and root gets in even then") {
  if (getuid() != 0) return;
  Limits limits;
  limits.connections = 6;
  limits.connections_per_user = 4;
  const Served served(limits);
  std::vector<fwd::UniqueFd> held;
  for (int i = 0; i < 4; ++i) held.push_back(connect_as(kStranger, served.path()));
  const auto refused = [](const fwd::UniqueFd& client) {
    return read_to_end(client.get(), std::chrono::milliseconds(500))
        .value_or("")
        .starts_with("HTTP/1.1 503");
  };
  CHECK(refused(connect_as(kStranger, served.path())));
  for (int i = 0; i < 2; ++i) held.push_back(connect_as(kStranger - 1, served.path()));
  CHECK(refused(connect_as(kStranger - 1, served.path())));
  CHECK(served.exchange(request("GET", "/v1/status")).starts_with("HTTP/1.1 200"));
  held.clear();
}

TEST_CASE("a second daemon on a socket is refused, a stale socket is replaced") {
  char name[] = "/tmp/fwd-listen-XXXXXX";
  const std::string directory = mkdtemp(name);
  const std::string path = directory + "/fwd.sock";
  {
    const auto first = listen_on(path);
    REQUIRE(first);
    const auto second = listen_on(path);
    REQUIRE_FALSE(second);
    CHECK(second.error().message() == "another daemon already serves " + path);
  }
  CHECK(listen_on(path));
  CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::all) ==
        std::filesystem::perms(0666));
  std::filesystem::remove_all(directory);
}

TEST_CASE("a file that is no socket stays where it is") {
  char name[] = "/tmp/fwd-listen-XXXXXX";
  const int fd = mkstemp(name);
  REQUIRE(fd >= 0);
  close(fd);
  const auto listener = listen_on(name);
  REQUIRE_FALSE(listener);
  CHECK(listener.error().message() == std::string(name) + " is in the way: it isn't a socket");
  CHECK(std::filesystem::exists(name));
  std::filesystem::remove(name);
  CHECK(listen_on(std::string(200, 'x')).error().code == ENAMETOOLONG);
}

}  // namespace

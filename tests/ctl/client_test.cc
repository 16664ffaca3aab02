#include "ctl/client.h"

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

#include <catch2/catch.hpp>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

using namespace ctl;
using namespace std::chrono_literals;

namespace {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "fwctl-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// Takes one connection, reads what comes until `enough` is seen, writes `answer`, waits, and
// closes.
class FakeServer {
 public:
  FakeServer(const std::string& path, std::string answer, std::chrono::milliseconds wait = 0ms,
             std::string enough = "\r\n\r\n")
      : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener_, 1) == 0);
    thread_ = std::thread([this, answer = std::move(answer), wait, enough = std::move(enough)] {
      serve(answer, wait, enough);
    });
  }
  ~FakeServer() { stop(); }

  std::string stop() {
    if (thread_.joinable()) thread_.join();
    if (listener_ >= 0) ::close(std::exchange(listener_, -1));
    return received_;
  }

 private:
  void serve(const std::string& answer, std::chrono::milliseconds wait, const std::string& enough) {
    const int peer = ::accept(listener_, nullptr, nullptr);
    std::array<char, 4096> buffer;
    while (received_.find(enough) == std::string::npos) {
      const ssize_t got = ::recv(peer, buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      received_.append(buffer.data(), static_cast<std::size_t>(got));
    }
    for (std::size_t at = 0; at < answer.size();) {
      const ssize_t sent = ::send(peer, answer.data() + at, answer.size() - at, MSG_NOSIGNAL);
      if (sent <= 0) break;
      at += static_cast<std::size_t>(sent);
    }
    std::this_thread::sleep_for(wait);
    ::close(peer);
  }

  int listener_;
  std::string received_;
  std::thread thread_;
};

std::string outcome(const std::string& socket, const Request& request) {
  const auto reply = Client(socket).exchange(request);
  return reply ? std::to_string(reply->status) + ' ' + reply->body : reply.error().message;
}

std::string no_use(const std::string& socket, const std::string& why) {
  return "no answer from fwd at " + socket + ": its answer is of no use, " + why +
         " (is fwd running? systemctl status fwd)";
}

const Request kGet{"GET", "/v1/status", {}, 1s};

}  // namespace

TEST_CASE("an answer comes back with its status") {
  const TemporaryFolder folder;
  const std::string socket = folder.file("s");
  FakeServer server(socket, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
  CHECK(outcome(socket, kGet) == "200 {}");
  CHECK(server.stop() == request_head(kGet));
}

TEST_CASE("a request's body follows its head, which says who called by sudo") {
  const TemporaryFolder folder;
  const std::string socket = folder.file("s");
  FakeServer server(socket, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 0ms, "the end");
  std::string body(1 << 20, 'x');
  body.append("the end");
  const Request request{"PUT", "/v1/policy", body, 10s};
  CHECK(Client(socket, "1000").exchange(request).has_value());
  const bool all = server.stop() == request_head(request, "1000") + request.body;
  CHECK(all);  // not shown: it is a megabyte
  CHECK(request_head(request, "1000").find("1000\r\n") != std::string::npos);
}

TEST_CASE("a complete answer isn't kept waiting by a server that doesn't close") {
  const TemporaryFolder folder;
  const std::string socket = folder.file("s");
  FakeServer server(socket, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 500ms);
  const auto start = std::chrono::steady_clock::now();
  CHECK(outcome(socket, kGet) == "200 {}");
  CHECK(std::chrono::steady_clock::now() - start < 400ms);
}

TEST_CASE("answers that make no sense are errors that say what is wrong") {
  struct Case {
    std::string answer;
    std::string why;
  };
  const Case cases[] = {
      {"", "it is empty"},
      {"hello\r\n\r\n", "it isn't HTTP"},
      {"HTTP/1.1 200 OK\r\nContent-Le", "it ends early"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", "it ends early"},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x'), "its header is too long"},
      {"HTTP/1.1 200 OK\r\n\r\n" + std::string(ReplyReader::kMaxBody + 1, 'x'), "it is too long"},
  };
  for (const Case& c : cases) {
    const TemporaryFolder folder;
    const std::string socket = folder.file("s");
    FakeServer server(socket, c.answer);
    CHECK(outcome(socket, {"GET", "/v1/status", {}, 10s}) == no_use(socket, c.why));
  }
}

TEST_CASE("a slow server is given up in time") {
  const TemporaryFolder folder;
  const std::string socket = folder.file("s");
  FakeServer server(socket, "HTTP/1.1 200 OK\r\n", 1500ms);
  const auto start = std::chrono::steady_clock::now();
  CHECK(outcome(socket, kGet) == no_use(socket, "it takes too long"));
  CHECK(std::chrono::steady_clock::now() - start < 1400ms);
}

TEST_CASE("an early refusal is seen though the body wasn't taken") {
  const TemporaryFolder folder;
  const std::string socket = folder.file("s");
  FakeServer server(socket, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\n{}");
  CHECK(outcome(socket, {"PUT", "/v1/policy", std::string(8'000'000, 'x'), 5s}) == "413 {}");
}

TEST_CASE("without a daemon the error says where it was looked for and what to do") {
  const TemporaryFolder folder;
  const std::string socket = folder.file("s");
  const auto missing = Client(socket).exchange(kGet);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == api::ErrorCode::Unreachable);
  CHECK(missing.error().message ==
        "no answer from fwd at " + socket +
            ": No such file or directory (is fwd running? systemctl status fwd)");
  {
    FakeServer gone(socket, "", 0ms, "");
    outcome(socket, kGet);
  }
  CHECK(outcome(socket, kGet) == "no answer from fwd at " + socket +
                                     ": Connection refused (is fwd running? systemctl status fwd)");
  const std::string too_long = '/' + std::string(200, 'x');
  CHECK(outcome(too_long, kGet) ==
        "no answer from fwd at " + too_long +
            ": File name too long (is fwd running? systemctl status fwd)");
}

TEST_CASE("a socket that the caller may not open is a matter of permission") {
  if (::geteuid() != 0) return;  // only root can become somebody else
  const TemporaryFolder folder;
  const std::string socket = folder.file("s");
  std::filesystem::permissions(folder.file(""), std::filesystem::perms::owner_all);
  REQUIRE(::seteuid(65534) == 0);
  const auto reply = Client(socket).exchange(kGet);
  REQUIRE(::seteuid(0) == 0);
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code == api::ErrorCode::NotPermitted);
  CHECK(reply.error().message ==
        "you may not use " + socket +
            ": that is for root and the group fwd-admin, and for reading also the group fwd-read");
}

TEST_CASE("the daemon's own words are kept, and a foreign answer stands for its status") {
  const auto told =
      body_of({404, R"({"error":{"code":"not_found","message":"no rule 7","diagnostics":[]}})"});
  REQUIRE_FALSE(told);
  CHECK(told.error().code == api::ErrorCode::NotFound);
  CHECK(told.error().message == "no rule 7");
  const auto foreign = body_of({413, "<html>"});
  REQUIRE_FALSE(foreign);
  CHECK(foreign.error().code == api::ErrorCode::TooLarge);
  CHECK(foreign.error().message == "fwd refuses the request with HTTP status 413");
  CHECK(body_of({200, "{}"}).value() == "{}");
}

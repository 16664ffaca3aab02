#include "fwd/audit/output.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/fwd/scratch.h"

namespace {

using namespace fwd::audit;
using fwd::test::Scratch;
using Clock = Output::Clock;
using std::chrono::seconds;

// A socket that keeps what was sent to it until it is read.
class Receiver {
 public:
  explicit Receiver(const std::string& path) : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::ranges::copy(path, address.sun_path);
    REQUIRE(bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }

  std::vector<std::string> read() {
    std::vector<std::string> datagrams;
    std::array<char, 4096> buffer;
    for (;;) {
      const auto count = recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (count < 0) return datagrams;
      datagrams.emplace_back(buffer.data(), static_cast<std::size_t>(count));
    }
  }

 private:
  fwd::UniqueFd fd_;
};

struct Fixture {
  Scratch scratch;
  std::string path = scratch.path("socket");
  Output output{"journal", path, [](std::string& out, std::string_view line) { out.append(line); }};
  Clock::time_point now = Clock::now();

  void flood(std::size_t lines) {
    for (std::size_t line = 0; line < lines; ++line) output.take(std::string(1000, 'x'), now);
  }
  void check_sum(std::uint64_t taken) const {
    const OutputState state = output.state();
    CHECK(state.sent + state.missed + state.waiting == taken);
  }
};

constexpr std::size_t kFlood = Output::kMostWaiting / 1000 + 50;

}  // namespace

TEST_CASE_METHOD(Fixture, "an output sends each line as one datagram") {
  Receiver receiver(path);
  output.take("one\n", now);
  output.take("two\n", now);
  CHECK_FALSE(output.flush(now));
  CHECK(receiver.read() == std::vector<std::string>{"one\n", "two\n"});
  CHECK(output.state().sent == 2);
  CHECK(output.state().trouble.empty());
  CHECK_FALSE(output.hurries());
}

TEST_CASE_METHOD(Fixture, "lines wait for a receiver that isn't there yet") {
  output.take("one\n", now);
  CHECK_FALSE(output.flush(now));
  CHECK(output.state().trouble == "No such file or directory");
  CHECK(output.state().waiting == 1);
  Receiver receiver(path);
  CHECK_FALSE(output.flush(now));
  CHECK(receiver.read().empty());  // it isn't looked for all the time
  CHECK_FALSE(output.flush(now + seconds(1)));
  CHECK(receiver.read() == std::vector<std::string>{"one\n"});
  CHECK(output.state().trouble.empty());
}

TEST_CASE_METHOD(Fixture, "what an absent receiver misses is counted, and told at both ends") {
  flood(kFlood);
  const auto begin = output.flush(now);
  REQUIRE(begin);
  CHECK(begin->action == "output_lost");
  CHECK(begin->reason == "journal");
  CHECK(begin->message ==
        "the journal at " + path +
            " takes no records: No such file or directory; what it misses is counted");
  CHECK_FALSE(output.flush(now));
  check_sum(kFlood);
  const auto missed = output.state().missed;
  CHECK(missed >= 50);

  Receiver receiver(path);
  std::optional<HealthEvent> end;
  std::size_t received = 0;
  for (now += seconds(1); !end && received < kFlood; received += receiver.read().size()) {
    end = output.flush(now);
  }
  REQUIRE(end);
  CHECK(end->action == "output_back");
  CHECK(end->missed == missed);
  CHECK(received + missed == kFlood);
  CHECK_FALSE(output.flush(now));
  check_sum(kFlood);
}

TEST_CASE_METHOD(Fixture, "a receiver that doesn't read is never waited for") {
  Receiver receiver(path);
  flood(kFlood);
  output.flush(now);
  CHECK(output.hurries());
  flood(kFlood);
  CHECK(output.state().trouble == "Resource temporarily unavailable");
  CHECK(output.state().missed > 0);
  check_sum(2 * kFlood);
}

TEST_CASE_METHOD(Fixture, "an output finds a receiver that was started anew") {
  auto receiver = std::make_unique<Receiver>(path);
  output.take("one\n", now);
  output.flush(now);
  receiver.reset();
  unlink(path.c_str());
  output.take("two\n", now);
  output.flush(now);
  CHECK(output.state().trouble == "Connection refused");
  Receiver again(path);
  output.flush(now + seconds(1));
  CHECK(again.read() == std::vector<std::string>{"two\n"});
  CHECK(output.state().sent == 2);
}

TEST_CASE_METHOD(Fixture, "what waits at the end is missed") {
  output.take("one\n", now);
  output.flush(now);
  CHECK(output.end() == 1);
  CHECK(output.state().missed == 1);
  check_sum(1);
}

TEST_CASE_METHOD(Fixture, "a line that no datagram can hold is missed, the next one isn't") {
  Receiver receiver(path);
  output.take(std::string(Output::kMostWaiting - 10, 'x'), now);
  output.take("one\n", now);
  const auto begin = output.flush(now);
  REQUIRE(begin);
  CHECK(begin->message.find(": Message too long; ") != std::string::npos);
  CHECK(receiver.read() == std::vector<std::string>{"one\n"});
  const auto end = output.flush(now);
  REQUIRE(end);
  CHECK(end->missed == 1);
  check_sum(2);
}

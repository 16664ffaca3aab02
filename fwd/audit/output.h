// A receiver of the audit log's lines beside the file: a datagram socket of the journal or of a
// syslog daemon. It is never waited for. What it doesn't take at once waits in memory, up to a bound;
// what goes beyond is counted, and told when that begins and when it is over.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "fwd/audit/event.h"
#include "fwd/unique_fd.h"

namespace fwd::audit {

// Lines that were for it: taken == sent + missed + waiting.
struct OutputState {
  std::string name;
  std::string path;
  std::uint64_t sent = 0;
  std::uint64_t missed = 0;
  std::uint64_t waiting = 0;
  std::string trouble;  // what keeps lines from it; empty where nothing does
};

class Output {
 public:
  using Clock = std::chrono::steady_clock;
  // Appends the datagram for a line.
  using Frame = std::function<void(std::string& out, std::string_view line)>;

  static constexpr std::size_t kMostWaiting = std::size_t{256} * 1024;  // bytes
  static constexpr std::chrono::milliseconds kFirstPause{500};  // before it is looked for again
  static constexpr std::chrono::milliseconds kLongestPause{8000};

  // `name` is one word: "journal".
  Output(std::string name, std::string path, Frame frame);

  void take(std::string_view line, Clock::time_point now);

  // Sends what waits, as far as the receiver takes it. An episode's beginning or end, where this is
  // one.
  std::optional<HealthEvent> flush(Clock::time_point now);

  // Whether it should be flushed again soon: it is there, and slow.
  bool hurries() const { return socket_.valid() && !waiting_.empty(); }

  // Whatever waits is given up. How many lines that are.
  std::uint64_t end();

  OutputState state() const;  // by any thread

 private:
  bool connect(Clock::time_point now);
  bool disconnect(Clock::time_point now);
  bool send(const std::string& datagram, Clock::time_point now);
  void send_waiting(Clock::time_point now);
  void drop_first();
  void miss();
  void trouble(int error);
  std::optional<HealthEvent> begin_episode();
  std::optional<HealthEvent> end_episode();

  const std::string name_;
  const std::string path_;
  const Frame frame_;
  UniqueFd socket_;
  Clock::time_point next_try_;
  Clock::duration pause_ = kFirstPause;  // before the try after it
  std::deque<std::string> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::uint64_t episode_missed_ = 0;  // 0: there is no episode
  std::string episode_trouble_;       // what it began with
  bool episode_told_ = false;         // its beginning

  mutable std::mutex mutex_;  // of the next ones
  std::uint64_t sent_ = 0;
  std::uint64_t missed_ = 0;
  std::uint64_t waiting_count_ = 0;
  std::string trouble_;
};

}  // namespace fwd::audit

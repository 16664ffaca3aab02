// fwctl top: what the firewall does now, on a page that is drawn anew again and again, or as text for scripts.
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <thread>

#include <fmt/core.h>

#include "ctl/command_list.h"
#include "ctl/command_parts.h"
#include "ctl/log/follower.h"
#include "ctl/top/board.h"
#include "ctl/top/screen.h"

namespace ctl {
namespace {

using Clock = std::chrono::steady_clock;

struct Wanted {
  bool batch = false;
  std::uint64_t times = std::numeric_limits<std::uint64_t>::max();
  std::chrono::milliseconds delay{2000};
};

std::expected<Wanted, api::Error> wanted_of(const Context& context) {
  if (context.words.size() != 1) return usage("top [--once|--batch] [-n N] [-d SECONDS]");
  Wanted wanted;
  const bool once = context.options.contains("--once");
  wanted.batch = once || context.json || context.options.contains("--batch");
  if (once) wanted.times = 1;
  if (const auto times = context.options.find("-n"); times != context.options.end()) {
    const std::string& text = times->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), wanted.times);
    if (error != std::errc() || end != text.data() + text.size() || wanted.times == 0)
      return std::unexpected(
          usage_error(fmt::format("-n: \"{}\" is no number of times, from 1", text)));
  }
  if (const auto delay = context.options.find("-d"); delay != context.options.end()) {
    const std::string& text = delay->second;
    double seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    constexpr double kLeast = 0.1;
    constexpr double kMost = 3600;
    if (error != std::errc() || end != text.data() + text.size() ||
        !(seconds >= kLeast && seconds <= kMost))
      return std::unexpected(
          usage_error(fmt::format("-d: \"{}\" is no number of seconds from 0.1 to 3600", text)));
    wanted.delay = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
  }
  return wanted;
}

bool terminal_is_utf8() {
  for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* const value = std::getenv(variable);
    if (value == nullptr || *value == '\0') continue;
    const std::string_view text(value);
    return text.find("UTF-8") != std::string_view::npos ||
           text.find("utf8") != std::string_view::npos;
  }
  return false;
}

// Asks the daemon and reads the log, once for each interval.
class Observation {
 public:
  explicit Observation(const Context& context) : context_(context) {
    open_log();
    look(Clock::now(), 1);  // what the next one is compared with
  }

  const top::View& view() const { return view_; }

  // At the end of an interval.
  void look() {
    const auto now = Clock::now();
    look(now, std::chrono::duration<double>(now - last_).count());
  }

  // For how long to rest: a listing of many rules is work for the daemon.
  Clock::duration rest(Clock::duration delay) const {
    constexpr int kShare = 9;
    return std::max<Clock::duration>(delay, took_ * kShare);
  }

 private:
  void open_log() {
    auto opened = log::Follower::open(log_path(context_));
    log_trouble_.clear();
    if (opened) {
      follower_ = *std::move(opened);
    } else {
      log_trouble_ = opened.error().message;
    }
  }

  void read_log() {
    if (!follower_) open_log();
    while (follower_) {
      const auto line = follower_->next();
      if (!line) {
        log_trouble_ = line.error().message;
        follower_.reset();
        return;
      }
      if (!*line) return;
      if (const auto record = parser_.parse(**line)) board_.record(*record);
    }
  }

  std::expected<top::Sample, api::Error> ask_daemon() {
    auto status = fetch<api::Status>(context_, {"GET", "/v1/status", {}});
    if (!status) return std::unexpected(std::move(status.error()));
    auto stats = fetch<api::Stats>(context_, {"GET", "/v1/stats", {}});
    if (!stats) return std::unexpected(std::move(stats.error()));
    auto rules = fetch<api::RuleList>(context_, {"GET", "/v1/rules", {}});
    if (!rules) return std::unexpected(std::move(rules.error()));
    return top::Sample{*std::move(status), *std::move(stats), *std::move(rules)};
  }

  void look(Clock::time_point start, double seconds) {
    auto sample = ask_daemon();
    took_ = Clock::now() - start;
    last_ = start;
    read_log();
    const std::string trouble = sample ? std::string() : sample.error().message;
    view_ = board_.tick(now(), seconds, sample ? std::optional(*std::move(sample)) : std::nullopt,
                        trouble);
    view_.log_trouble = log_trouble_;
  }

  const Context& context_;
  log::Parser parser_;
  top::Board board_;
  std::optional<log::Follower> follower_;
  std::string log_trouble_;
  Clock::time_point last_;
  Clock::duration took_{};
  top::View view_;
};

Result batch(const Context& context, const Wanted& wanted) {
  Observation observation(context);
  for (std::uint64_t time = 0; time < wanted.times; ++time) {
    std::this_thread::sleep_for(observation.rest(wanted.delay));
    observation.look();
    std::string text = context.json
                           ? top::render_json(observation.view())
                           : top::render(observation.view(), {}, terminal_is_utf8(), context.look);
    if (!context.json && time + 1 < wanted.times) text += '\n';
    if (!context.print(text)) return Output{{}, {}, static_cast<int>(api::ExitStatus::Refused)};
  }
  return Output{};
}

Result on_terminal(const Context& context, const Wanted& wanted) {
  Observation observation(context);
  auto screen = top::Screen::open();
  if (!screen) return std::unexpected(std::move(screen.error()));
  const bool utf8 = terminal_is_utf8();
  std::uint64_t times = 0;
  while (true) {
    const auto until = Clock::now() + observation.rest(wanted.delay);
    auto event = top::Screen::Event::Redraw;
    while (event == top::Screen::Event::Redraw) {
      if (!screen->draw(top::render(observation.view(), screen->size(), utf8, context.look)))
        return Output{};
      event = screen->wait_until(until);
    }
    if (event == top::Screen::Event::Quit || ++times == wanted.times) return Output{};
    observation.look();
  }
}

}  // namespace

Result show_top(const Context& context) {
  const auto wanted = wanted_of(context);
  if (!wanted) return std::unexpected(wanted.error());
  return wanted->batch ? batch(context, *wanted) : on_terminal(context, *wanted);
}

}  // namespace ctl

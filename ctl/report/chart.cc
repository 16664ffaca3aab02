#include "ctl/report/chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <numeric>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "ctl/report/html.h"
#include "ctl/report/slots.h"

namespace ctl::report {
namespace {

using std::chrono::seconds;

struct Box {
  double left, right, top, bottom;
};

constexpr double kWidth = 1000;
constexpr Box kBars{62, 996, 10, 210};
constexpr double kAxisHeight = 26;
constexpr double kLane = 20;
constexpr Box kRow{2, 598, 3, 41};  // of one service
constexpr double kRowWidth = 600;
constexpr double kRowHeight = 44;
constexpr double kAxisOnly = 18;

// Where times lie between two edges.
class TimeScale {
 public:
  TimeScale(const Report& report, const Box& box)
      : first_(report.first_slot),
        span_(static_cast<double>(
            std::chrono::duration_cast<std::chrono::microseconds>(report.slot).count() *
            static_cast<std::int64_t>(std::max<std::size_t>(report.denied_in.size(), 1)))),
        box_(box) {}

  double at(Time time) const {
    const double part = static_cast<double>((time - first_).count()) / span_;
    return box_.left + std::clamp(part, 0.0, 1.0) * (box_.right - box_.left);
  }
  seconds span() const { return seconds(static_cast<std::int64_t>(span_ / 1e6)); }

 private:
  Time first_;
  double span_;  // microseconds
  Box box_;
};

// 1, 2 or 5 times a power of ten, so that `most` has at most four such steps.
std::uint64_t value_step(std::uint64_t most) {
  std::uint64_t power = 1;
  while (true) {
    for (const std::uint64_t factor : {1U, 2U, 5U}) {
      if (factor * power * 4 >= most) return factor * power;
    }
    power *= 10;
  }
}

seconds tick_step(seconds span, std::int64_t most) {
  constexpr std::array<std::int64_t, 20> kSteps{1,     2,     5,     10,    15,     30,    60,
                                                120,   300,   600,   900,   1800,   3600,  7200,
                                                10800, 21600, 43200, 86400, 172800, 604800};
  for (const std::int64_t step : kSteps) {
    if (span.count() / step <= most) return seconds(step);
  }
  const std::int64_t week = kSteps.back();
  return seconds(week * (span.count() / week / most + 1));
}

std::string tick_text(Time time, seconds step) {
  const auto whole = std::chrono::floor<seconds>(time);
  constexpr seconds kDay{86400};
  if (step >= kDay || whole.time_since_epoch() % kDay == seconds(0))
    return fmt::format("{:%d %b}", whole);
  return step >= seconds(60) ? fmt::format("{:%H:%M}", whole) : fmt::format("{:%H:%M:%S}", whole);
}

std::string time_axis(const Report& report, const TimeScale& scale, const Box& box,
                      std::int64_t ticks, double y) {
  std::string svg;
  const seconds step = tick_step(scale.span(), ticks);
  const Time end = report.first_slot + scale.span();
  std::int64_t at =
      floor_div(std::chrono::floor<seconds>(report.first_slot).time_since_epoch().count() - 1,
                step.count()) +
      1;
  for (;; ++at) {
    const Time time{step * at};
    if (time > end) return svg;
    const double x = scale.at(time);
    const char* anchor = x < box.left + 20 ? "start" : x > box.right - 20 ? "end" : "middle";
    fmt::format_to(std::back_inserter(svg),
                   R"(<line class="tick" x1="{0:.1f}" x2="{0:.1f}" y1="{1:.1f}" y2="{2:.1f}"/>)"
                   R"(<text class="axis" x="{0:.1f}" y="{3:.1f}" text-anchor="{4}">{5}</text>)",
                   x, y, y + 4, y + 16, anchor, tick_text(time, step));
  }
}

std::uint64_t sum(const ByCause& causes) {
  return std::accumulate(causes.begin(), causes.end(), std::uint64_t{0});
}

std::string grid(std::uint64_t most, std::uint64_t step, const Box& box) {
  std::string svg;
  for (std::uint64_t value = 0; value <= most; value += step) {
    const double y = box.bottom - static_cast<double>(value) / static_cast<double>(most) *
                                      (box.bottom - box.top);
    fmt::format_to(std::back_inserter(svg),
                   R"(<line class="grid" x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/>)"
                   R"(<text class="axis" x="{3}" y="{4:.1f}" text-anchor="end">{5}</text>)",
                   box.left, box.right, y, box.left - 8, y + 4,
                   short_number(static_cast<double>(value)));
  }
  return svg;
}

std::string bar_title(const Report& report, std::size_t slot) {
  const ByCause& causes = report.denied_in[slot];
  std::string title = fmt::format("{}: {}", slot_text(report, slot), number(sum(causes)));
  for (std::size_t cause = 0; cause < kCauses; ++cause) {
    if (causes[cause] > 0)
      title += fmt::format(", {} {}", number(causes[cause]), label(static_cast<Cause>(cause)));
  }
  return title;
}

std::string bar(const Report& report, std::size_t slot, std::uint64_t most, const Box& box) {
  const ByCause& causes = report.denied_in[slot];
  if (sum(causes) == 0) return {};
  const double width = (box.right - box.left) / static_cast<double>(report.denied_in.size());
  const double gap = std::min(2.0, width * 0.2);
  std::string svg = fmt::format("<g class=\"bar\"><title>{}</title>", bar_title(report, slot));
  double bottom = box.bottom;
  for (std::size_t cause = 0; cause < kCauses; ++cause) {
    if (causes[cause] == 0) continue;
    const double height =
        static_cast<double>(causes[cause]) / static_cast<double>(most) * (box.bottom - box.top);
    bottom -= height;
    fmt::format_to(std::back_inserter(svg),
                   R"(<rect class="c{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"/>)",
                   cause, box.left + width * static_cast<double>(slot) + gap / 2, bottom,
                   width - gap, height);
  }
  return svg + "</g>";
}

struct Lane {
  const char* name;
  std::vector<Episode::Kind> kinds;
};

std::vector<Lane> lanes(const Report& report) {
  using Kind = Episode::Kind;
  const std::vector<Lane> all{{"kernel", {Kind::Copy}},
                              {"restarts", {Kind::Down}},
                              {"missing", {Kind::Missing}},
                              {"changes", {Kind::Change, Kind::Refused}},
                              {"other", {Kind::Other}}};
  std::vector<Lane> used;
  std::ranges::copy_if(all, std::back_inserter(used), [&](const Lane& lane) {
    return std::ranges::any_of(report.episodes, [&](const Episode& episode) {
      return std::ranges::find(lane.kinds, episode.kind) != lane.kinds.end();
    });
  });
  return used;
}

std::string mark(const Episode& episode, const TimeScale& scale, double y) {
  constexpr double kLeast = 4;
  const double x = scale.at(episode.begin);
  const double width = std::max(scale.at(episode.end) - x, kLeast);
  return fmt::format(
      R"(<rect class="k{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="10" rx="2"><title>{}: {}</title></rect>)",
      static_cast<int>(episode.kind), std::min(x, kBars.right - kLeast), y, width,
      moment_text(episode.begin), text(episode.text));
}

std::string lane_marks(const Report& report, const TimeScale& scale, const std::vector<Lane>& shown,
                       double y) {
  std::string svg;
  for (const Lane& lane : shown) {
    fmt::format_to(std::back_inserter(svg),
                   R"(<line class="lane" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>)"
                   R"(<text class="axis" x="{}" y="{:.1f}" text-anchor="end">{}</text>)",
                   kBars.left, kBars.right, y + kLane / 2, y + kLane / 2, kBars.left - 6,
                   y + kLane / 2 + 4, lane.name);
    for (const Episode& episode : report.episodes) {
      if (std::ranges::find(lane.kinds, episode.kind) != lane.kinds.end())
        svg += mark(episode, scale, y + kLane / 2 - 5);
    }
    y += kLane;
  }
  return svg;
}

// "x,y x,y ..." of the middles of the slots.
std::string points(std::span<const std::uint64_t> values, std::uint64_t most, const Box& box) {
  const double width = (box.right - box.left) / static_cast<double>(values.size());
  std::string text;
  for (std::size_t at = 0; at < values.size(); ++at) {
    const double part =
        static_cast<double>(values[at]) / static_cast<double>(std::max<std::uint64_t>(most, 1));
    fmt::format_to(std::back_inserter(text), "{:.1f},{:.1f} ",
                   box.left + width * (static_cast<double>(at) + 0.5),
                   box.bottom - part * (box.bottom - box.top));
  }
  return text;
}

}  // namespace

std::string slot_text(const Report& report, std::size_t slot) {
  const Time begin = report.first_slot + report.slot * static_cast<std::int64_t>(slot);
  const auto whole = std::chrono::floor<seconds>(begin);
  return report.slot < seconds(60) ? fmt::format("{:%Y-%m-%d %H:%M:%S}", whole)
                                   : fmt::format("{:%Y-%m-%d %H:%M}", whole);
}

std::string denied_chart(const Report& report) {
  std::uint64_t peak = 1;
  for (const ByCause& causes : report.denied_in) peak = std::max(peak, sum(causes));
  const std::uint64_t step = value_step(peak);
  const std::uint64_t most = (peak + step - 1) / step * step;
  const TimeScale scale(report, kBars);
  const std::vector<Lane> shown = lanes(report);
  const double below = kBars.bottom + kAxisHeight;
  const double height = below + kLane * static_cast<double>(shown.size()) + 4;
  std::string svg = fmt::format(
      R"(<svg class="chart" viewBox="0 0 {} {:.0f}" role="img" aria-labelledby="dt dd"><title id="dt">Denied connections over time</title>)"
      R"(<desc id="dd">Stacked by reason, {} for each bar; at most {} in one of them. The table below has the numbers.</desc>)",
      kWidth, height, duration_text(report.slot), number(peak));
  svg += grid(most, step, kBars);
  for (std::size_t slot = 0; slot < report.denied_in.size(); ++slot)
    svg += bar(report, slot, most, kBars);
  svg += time_axis(report, scale, kBars, 10, kBars.bottom);
  return svg + lane_marks(report, scale, shown, below) + "</svg>";
}

std::string service_chart(const Service& service) {
  std::uint64_t most = 1;
  for (const auto* values : {&service.accepted_in, &service.denied_in}) {
    if (!values->empty()) most = std::max(most, *std::ranges::max_element(*values));
  }
  std::string svg = fmt::format(
      R"(<svg class="row" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}: {} accepted, {} denied">)",
      kRowWidth, kRowHeight, text(service.name), number(service.accepted), number(service.denied));
  fmt::format_to(std::back_inserter(svg), R"(<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>)",
                 kRow.left, kRow.right, kRow.bottom, kRow.bottom);
  if (service.accepted > 0) {
    const std::string line = points(service.accepted_in, most, kRow);
    fmt::format_to(
        std::back_inserter(svg),
        R"(<polygon class="area" points="{:.1f},{} {}{:.1f},{}"/><polyline class="accepted" points="{}"/>)",
        kRow.left, kRow.bottom, line, kRow.right, kRow.bottom, line);
  }
  if (service.denied > 0)
    fmt::format_to(std::back_inserter(svg), R"(<polyline class="denied" points="{}"/>)",
                   points(service.denied_in, most, kRow));
  return svg + "</svg>";
}

std::string service_axis(const Report& report) {
  const TimeScale scale(report, kRow);
  return fmt::format(R"(<svg class="row axisrow" viewBox="0 0 {} {}" aria-hidden="true">{}</svg>)",
                     kRowWidth, kAxisOnly, time_axis(report, scale, kRow, 6, 0));
}

}  // namespace ctl::report

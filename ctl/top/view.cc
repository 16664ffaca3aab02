#include "ctl/top/view.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "ctl/table.h"

namespace ctl::top {
namespace {

using Json = nlohmann::ordered_json;

std::string rate_text(double rate) {
  constexpr double kMany = 100;
  constexpr double kLeast = 0.05;
  if (rate <= 0) return "-";
  if (rate < kLeast) return "<0.1";
  return rate < kMany ? fmt::format("{:.1f}", rate) : fmt::format("{:.0f}", rate);
}

Cell denied_cell(double rate) {
  return {rate_text(rate), rate > 0 ? Style::Bad : Style::Dim};
}

Cell accepted_cell(double rate) {
  return {rate_text(rate), rate > 0 ? Style::Good : Style::Dim};
}

std::string shortened(const std::string& text, std::size_t most) {
  return text.size() <= most ? text : text.substr(0, most - 2) + "..";
}

struct Shape {
  std::size_t name;   // columns for it
  std::size_t spark;  // likewise
  bool utf8;
};

Shape shape_of(const Size& size, bool utf8) {
  constexpr std::size_t kNumbers = 34;
  constexpr std::size_t kLeast = 30;
  const std::size_t rest = std::max(size.columns, kNumbers + kLeast) - kNumbers;
  const std::size_t name = std::clamp<std::size_t>(rest / 2, 20, 48);
  return {name, std::min<std::size_t>(rest - name, 60), utf8};
}

std::string rows_text(const char* heading, const std::vector<Row>& rows, std::size_t most,
                      const Shape& shape, const Look& look) {
  std::string name(heading);
  name.resize(std::max(shape.name, name.size()), ' ');
  Table table({{std::move(name)},
               {"Accepted/s", Align::Right},
               {"Denied/s", Align::Right},
               {"Total", Align::Right},
               {"Lately"}});
  for (std::size_t at = 0; at < std::min(most, rows.size()); ++at) {
    const Row& row = rows[at];
    const std::string words = row.detail.empty() ? row.name : row.name + "  " + row.detail;
    table.add({{shortened(one_line(words), shape.name), style_of_action(row.action)},
               accepted_cell(row.rates.accepted),
               denied_cell(row.rates.denied),
               {std::to_string(row.total)},
               {sparkline(row.past, shape.spark, shape.utf8), Style::Dim}});
  }
  return table.text(look);
}

std::string head(const View& view, const Shape& shape, const Look& look) {
  std::string text =
      fmt::format("{}  {}  {} {} UTC\n",
                  look.paint(Style::Bold, view.host.empty() ? "fwctl top" : one_line(view.host)),
                  one_line(view.daemon), date_text(view.time), clock_text(view.time).substr(0, 8));
  if (view.trouble.empty()) {
    text += look.paint(view.guarded ? Style::Good : Style::Bad, view.state) + "  " +
            look.paint(view.healthy ? Style::Plain : Style::Warning, one_line(view.health)) + '\n';
  } else {
    text += look.paint(Style::Bad, "fwd doesn't answer: the kernel's copy of the policy decides") +
            "  " + one_line(view.trouble) + '\n';
  }
  if (!view.copy.empty()) text += look.paint(Style::Warning, one_line(view.copy)) + '\n';
  return text + fmt::format("{} {}  {} {}  {}\n", look.paint(Style::Bold, "Accepted/s"),
                            rate_text(view.all.rates.accepted), look.paint(Style::Bold, "Denied/s"),
                            look.paint(view.all.rates.denied > 0 ? Style::Bad : Style::Plain,
                                       rate_text(view.all.rates.denied)),
                            sparkline(view.all.past, shape.spark, shape.utf8));
}

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

// How many rows each of the lists gets: an equal part, and what others leave.
std::array<std::size_t, 3> share(std::size_t lines, const std::array<std::size_t, 3>& wanted) {
  std::array<std::size_t, 3> given{};
  for (bool more = true; more && lines > 0;) {
    more = false;
    for (std::size_t at = 0; at < given.size() && lines > 0; ++at) {
      if (given[at] == wanted[at]) continue;
      ++given[at];
      --lines;
      more = true;
    }
  }
  return given;
}

Json row_json(const Row& row) {
  Json json{{"name", row.name}};
  if (!row.detail.empty()) json["detail"] = row.detail;
  json["accepted_per_second"] = row.rates.accepted;
  json["denied_per_second"] = row.rates.denied;
  json["total"] = row.total;
  return json;
}

Json rows_json(const std::vector<Row>& rows) {
  Json json = Json::array();
  for (const Row& row : rows) json.push_back(row_json(row));
  return json;
}

}  // namespace

std::string sparkline(const std::vector<double>& values, std::size_t width, bool utf8) {
  constexpr std::array<std::string_view, 9> kBlocks{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr std::array<std::string_view, 9> kAscii{" ", "_", ".", ",", "-", "=", "+", "*", "#"};
  if (values.empty() || width == 0) return {};
  const std::size_t each = (values.size() + width - 1) / width;
  std::vector<double> heights;
  for (std::size_t at = 0; at < values.size(); at += each) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(at);
    heights.push_back(*std::max_element(
        begin, begin + static_cast<std::ptrdiff_t>(std::min(each, values.size() - at))));
  }
  const double most = *std::ranges::max_element(heights);
  std::string text;
  for (const double height : heights) {
    const bool some = most > 0 && height > 0;
    const long level = some ? std::clamp(std::lround(height / most * 8), 1L, 8L) : 0;
    text += (utf8 ? kBlocks : kAscii)[static_cast<std::size_t>(level)];
  }
  return text;
}

std::string render(const View& view, const Size& size, bool utf8, const Look& look) {
  const Shape shape = shape_of(size, utf8);
  std::string text = head(view, shape, look);
  if (!view.log_trouble.empty())
    text += look.paint(Style::Warning,
                       "Services and sources aren't known: " + one_line(view.log_trouble)) +
            '\n';
  constexpr std::size_t kHeadings = 6;  // with a blank line before each
  const std::size_t used = lines_of(text) + kHeadings;
  const auto given = share(size.lines > used ? size.lines - used : 0,
                           {view.services.size(), view.rules.size(), view.sources.size()});
  const std::array<std::pair<const char*, const std::vector<Row>*>, 3> lists{
      {{"Service", &view.services},
       {"Rule", &view.rules},
       {"Denied source, last minutes", &view.sources}}};
  for (std::size_t at = 0; at < lists.size(); ++at) {
    if (given[at] > 0)
      text += '\n' + rows_text(lists[at].first, *lists[at].second, given[at], shape, look);
  }
  while (lines_of(text) > size.lines) text.erase(text.rfind('\n', text.size() - 2) + 1);
  return text;
}

std::string render_json(const View& view) {
  Json json{{"time", timestamp_text(view.time)},
            {"seconds", view.seconds},
            {"answering", view.trouble.empty()},
            {"state", view.state},
            {"healthy", view.healthy},
            {"kernel_copy", view.copy},
            {"accepted_per_second", view.all.rates.accepted},
            {"denied_per_second", view.all.rates.denied},
            {"services", rows_json(view.services)},
            {"rules", rows_json(view.rules)},
            {"sources", rows_json(view.sources)}};
  if (!view.trouble.empty()) json["trouble"] = view.trouble;
  if (!view.log_trouble.empty()) json["log_trouble"] = view.log_trouble;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace ctl::top

#include "ctl/render_record.h"

#include <algorithm>

#include <fmt/core.h>

#include "ctl/byte_text.h"

namespace ctl {
namespace {

using log::Record;
using log::Verdict;

// What is wider makes its own line longer and leaves the next ones where they are.
constexpr std::size_t kMostEnds = 48;
constexpr std::size_t kMostService = 12;

std::string end_text(const log::Endpoint& end) {
  if (end.ip.empty()) return "many";
  const bool brackets = end.port && end.ip.find(':') != std::string_view::npos;
  std::string text = brackets ? fmt::format("[{}]", end.ip) : std::string(end.ip);
  if (end.port) text += fmt::format(":{}", *end.port);
  return text;
}

std::string action_text(const Record& record) {
  if (!record.would.empty()) return fmt::format("would {}", record.would);
  return std::string(record.action);
}

Style style_of(const Record& record) {
  if (!record.would.empty()) return Style::Warning;
  if (record.verdict == Verdict::Denied) return Style::Bad;
  if (record.dataset == log::Dataset::Flow) return Style::Dim;
  return record.verdict == Verdict::Accepted ? Style::Good : Style::Plain;
}

// The rule, and the reason where it isn't simply that the rule says so.
std::string why_text(const Record& record) {
  std::string text(record.rule_id);
  if (!record.rule_name.empty() && record.rule_id != "default")
    text += fmt::format(" {}", record.rule_name);
  if (record.reason != "rule" && record.reason != "default" && !record.reason.empty())
    text += fmt::format("{}({})", text.empty() ? "" : " ", record.reason);
  return text;
}

// What went each way, and for how long.
std::string traffic_text(const Record& record) {
  if (!record.source_bytes || !record.destination_bytes) return {};
  std::string text = fmt::format("  -> {} <- {}", byte_text(*record.source_bytes),
                                 byte_text(*record.destination_bytes));
  if (record.first < record.time)
    text +=
        "  " + duration_text(std::chrono::round<std::chrono::seconds>(record.time - record.first));
  return text;
}

// Fills up to the widest of the column so far.
std::string column(std::string text, std::size_t& width, std::size_t most) {
  width = std::clamp(text.size(), width, most);
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

}  // namespace

std::string RecordLines::service_of(const Record& record) {
  if (record.destination.port) return services_.of(record.protocol, *record.destination.port);
  if (record.icmp_type) return fmt::format("type {}", *record.icmp_type);
  return {};
}

std::string RecordLines::packet_text(const Record& record) {
  if (record.protocol.empty()) return "malformed packet";
  std::string ends = record.folded ? end_text(record.source)
                                   : fmt::format("{} -> {}", end_text(record.source),
                                                 end_text(record.destination));
  return fmt::format("{:<5} {}  {}", record.protocol == "ipv6-icmp" ? "icmp6" : record.protocol,
                     column(std::move(ends), ends_width_, kMostEnds),
                     column(service_of(record), service_width_, kMostService));
}

std::string RecordLines::verdict_text(const Record& record) {
  std::string text = look_.paint(style_of(record), fmt::format("{:<6}", action_text(record)));
  text += fmt::format(" {:<3} {}  {}", record.direction == "egress" ? "out" : "in",
                      one_line(packet_text(record)), one_line(why_text(record)));
  if (record.dataset == log::Dataset::Flow) text += traffic_text(record);
  if (record.folded) text += "  " + look_.paint(Style::Bold, fmt::format("x {}", record.count));
  return text;
}

std::string RecordLines::text(const Record& record) {
  std::string lines;
  if (std::string day = date_text(record.time); day != day_) {
    lines = look_.paint(Style::Dim, day + " UTC") + '\n';
    day_ = std::move(day);
  }
  lines += look_.paint(Style::Dim, clock_text(record.time)) + ' ';
  switch (record.dataset) {
    case log::Dataset::Verdict:
    case log::Dataset::Flow:
      return lines + verdict_text(record) + '\n';
    case log::Dataset::Gap:
      return lines + look_.paint(Style::Bad, "missing " + one_line(record.message)) + '\n';
    case log::Dataset::Admin:
    case log::Dataset::Health:
    case log::Dataset::Other:
      break;
  }
  const bool bad =
      record.action == "fallback" || record.action == "damage" || record.outcome == "failure";
  return lines + look_.paint(bad ? Style::Warning : Style::Bold, "* " + one_line(record.message)) +
         '\n';
}

std::string RecordLines::note(const std::string& words) const {
  return look_.paint(Style::Warning, "-- " + words) + '\n';
}

}  // namespace ctl

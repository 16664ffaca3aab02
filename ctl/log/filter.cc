#include "ctl/log/filter.h"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

#include "ctl/arguments.h"
#include "rules/suggest.h"

namespace ctl::log {
namespace {

std::expected<std::vector<std::uint16_t>, api::Error> parse_ports(std::string_view text) {
  std::vector<std::uint16_t> ports;
  while (true) {
    const std::string_view one = text.substr(0, text.find(','));
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(one.begin(), one.end(), port);
    if (error != std::errc() || end != one.end()) {
      return std::unexpected(usage_error(fmt::format(
          "\"{}\" is no port: write a number from 0 to 65535, or several with commas", one)));
    }
    ports.push_back(port);
    if (one.size() == text.size()) return ports;
    text.remove_prefix(one.size() + 1);
  }
}

api::Error unknown(const std::string& word) {
  rules::Nearest nearest(word);
  for (const char* name : {"denied", "accepted", "ended", "in", "out", "proto", "port", "rule"})
    nearest.consider(name);
  const std::string hint = nearest.hint();
  return usage_error(fmt::format("\"{}\" is neither an address nor a word of the filter: {}", word,
                                 hint.empty() ? kFilterSynopsis : hint));
}

bool within(std::string_view ip, const rules::AddressRange& range) {
  const auto address = rules::parse_address(ip);
  return address && range.contains(*address);
}

}  // namespace

// False where `name` is no word that a value follows.
std::expected<bool, api::Error> Filter::take_pair(const std::string& name,
                                                  const std::string* value) {
  if (name != "port" && name != "proto" && name != "rule") return false;
  if (value == nullptr) return std::unexpected(usage_error(fmt::format("{} needs a value", name)));
  if (name == "proto") protocol_ = *value == "icmpv6" ? "ipv6-icmp" : *value;
  if (name == "rule") rule_ = *value;
  if (name == "port") {
    auto ports = parse_ports(*value);
    if (!ports) return std::unexpected(std::move(ports.error()));
    ports_ = *std::move(ports);
  }
  return true;
}

std::expected<Filter, api::Error> Filter::parse(std::span<const std::string> words) {
  Filter filter;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const auto pair = filter.take_pair(word, i + 1 < words.size() ? &words[i + 1] : nullptr);
    if (!pair) return std::unexpected(pair.error());
    if (*pair) {
      ++i;
    } else if (word == "denied" || word == "accepted") {
      filter.verdict_ = word == "denied" ? Verdict::Denied : Verdict::Accepted;
    } else if (word == "ended") {
      filter.ended_ = true;
    } else if (word == "in" || word == "out") {
      filter.direction_ = word == "in" ? "ingress" : "egress";
    } else if (const auto range = rules::parse_range(word)) {
      filter.addresses_.push_back(*range);
    } else {
      return std::unexpected(unknown(word));
    }
  }
  return filter;
}

bool Filter::matches(const Record& record) const {
  if (record.dataset != Dataset::Verdict && record.dataset != Dataset::Flow) return true;
  if (ended_ != (record.dataset == Dataset::Flow)) return false;
  if (verdict_ == Verdict::Denied && !record.denied_or_would_be()) return false;
  if (verdict_ == Verdict::Accepted && record.verdict != Verdict::Accepted) return false;
  if (!direction_.empty() && record.direction != direction_) return false;
  if (!protocol_.empty() && record.protocol != protocol_) return false;
  if (!rule_.empty() && !record.rule_id.starts_with(rule_) && record.rule_name != rule_)
    return false;
  const auto has_port = [&](const Endpoint& end) {
    return end.port && std::ranges::find(ports_, *end.port) != ports_.end();
  };
  if (!ports_.empty() && !has_port(record.source) && !has_port(record.destination)) return false;
  return std::ranges::all_of(addresses_, [&](const rules::AddressRange& range) {
    return within(record.source.ip, range) || within(record.destination.ip, range);
  });
}

}  // namespace ctl::log

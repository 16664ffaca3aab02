#include "ctl/report/tally.h"

#include <algorithm>
#include <numeric>

#include <fmt/core.h>

namespace ctl::report {
namespace {

using log::Record;
using log::Verdict;

constexpr std::size_t kMostNames = std::size_t{1} << 18U;
constexpr std::size_t kMostServices =
    512;  // with a line of their own over time; the first of them is all others
constexpr std::size_t kShownServices = 8;
constexpr std::size_t kTop = 10;
constexpr std::size_t kHeatServices = 8;
constexpr std::size_t kMostEpisodes = 500;
constexpr std::size_t kMostHosts = 64;
constexpr std::size_t kMostRuleDetails = 10000;

Cause cause_of(const Record& record) {
  if (record.verdict != Verdict::Denied) return Cause::Observed;
  if (record.reason == "default") return Cause::Default;
  if (record.reason == "rule") return Cause::Rule;
  if (record.reason == "rate_limit") return Cause::RateLimit;
  if (record.reason == "revoked") return Cause::Revoked;
  return record.reason == "invalid" ? Cause::Invalid : Cause::Other;
}

}  // namespace

Tally::Pair& Tally::Pair::operator+=(const Pair& other) {
  accepted += other.accepted;
  denied += other.denied;
  bytes += other.bytes;
  return *this;
}

Tally::Slot& Tally::Slot::operator+=(const Slot& other) {
  std::ranges::transform(denied, other.denied, denied.begin(), std::plus<>());
  for (const auto& [number, pair] : other.services) services[number] += pair;
  return *this;
}

Tally::Tally(const Range& range)
    : range_(range),
      service_names_{"all others"},
      service_totals_(1),
      sources_(kMostNames),
      denied_services_(kMostNames),
      pairs_(kMostNames),
      rules_(kMostNames) {
  if (range.from) slots_.cover(*range.from);
  if (range.to) slots_.cover(*range.to);
}

void Tally::take(std::string_view line) {
  const auto record = parser_.parse(line);
  if (!record) {
    if (line.find_first_not_of(" \t\r\n") != std::string_view::npos) ++report_.foreign;
    return;
  }
  auto host = hosts_.find(record->host);
  if (host == hosts_.end()) {
    if (hosts_.size() >= kMostHosts) {
      ++report_.foreign;
      return;
    }
    host = hosts_.emplace(record->host, Host{}).first;
  }
  if (!follows(host->second, *record)) return;
  if ((range_.from && record->time < *range_.from) || (range_.to && record->time > *range_.to)) {
    ++report_.outside;
    return;
  }
  ++report_.lines;
  slots_.cover(record->time);
  report_.from = report_.lines == 1 ? record->time : std::min(report_.from, record->time);
  report_.to = report_.lines == 1 ? record->time : std::max(report_.to, record->time);
  switch (record->dataset) {
    case log::Dataset::Verdict:
      take_verdict(*record);
      break;
    case log::Dataset::Flow:
      take_flow(*record);
      break;
    case log::Dataset::Gap:
      report_.lost += record->count;
      add_episode(Episode::Kind::Missing, record->time, record->time, *record,
                  std::string(record->message));
      break;
    case log::Dataset::Admin: {
      const bool refused = record->outcome == "failure";
      add_episode(refused ? Episode::Kind::Refused : Episode::Kind::Change, record->time,
                  record->time, *record, std::string(record->message));
      break;
    }
    case log::Dataset::Health:
      take_health(host->second, *record);
      break;
    case log::Dataset::Other:
      break;
  }
  host->second.last = record->time;
}

// False where the line was there before: the same file twice, compressed and not.
bool Tally::follows(Host& host, const Record& record) {
  const bool anew = record.sequence == 1 && record.time > host.last;
  if (record.sequence <= host.sequence && !anew) return false;
  if (host.sequence > 0 && !anew) report_.missing_lines += record.sequence - host.sequence - 1;
  host.sequence = record.sequence;
  return true;
}

void Tally::take_verdict(const Record& record) {
  (record.folded ? report_.folded : report_.written) += record.count;
  const std::string service = services_.of(record);
  const std::size_t number = number_of(service);
  Slot& slot = slots_.at(record.time);
  Pair pair;
  if (record.verdict == Verdict::Accepted) {
    report_.accepted += record.count;
    pair.accepted = record.count;
  } else if (record.verdict == Verdict::Denied) {
    report_.denied += record.count;
    pair.denied = record.count;
  } else {
    report_.undecided += record.count;
  }
  service_totals_[number] += pair;
  slot.services[number] += pair;
  if (!record.denied_or_would_be()) return;
  const auto cause = static_cast<std::size_t>(cause_of(record));
  report_.causes[cause] += record.count;
  slot.denied[cause] += record.count;
  if (record.verdict == Verdict::Denied) take_denied(record, service);
}

void Tally::take_flow(const Record& record) {
  const std::uint64_t bytes =
      record.source_bytes.value_or(0) + record.destination_bytes.value_or(0);
  slots_.at(record.time).services[number_of(services_.of(record))].bytes += bytes;
}

void Tally::take_denied(const Record& record, const std::string& service) {
  const std::string_view source =
      record.source.ip.empty() ? std::string_view("many sources") : record.source.ip;
  sources_.add(source, record.count);
  denied_services_.add(service, record.count);
  pairs_.add(fmt::format("{} {}", source, service), record.count);
  const std::string_view rule =
      record.rule_id.empty() ? std::string_view("no rule") : record.rule_id;
  rules_.add(rule, record.count);
  if (rule_details_.size() < kMostRuleDetails || rule_details_.contains(rule)) {
    const bool in_file = record.ruleset.find(':') != std::string_view::npos;
    rule_details_[std::string(rule)] = {
        .name = std::string(record.rule_name),
        .place = in_file ? std::string(record.ruleset) : std::string()};
  }
}

void Tally::take_health(Host& host, const Record& record) {
  if (record.action == "stop") {
    host.stopped = record.time;
  } else if (record.action == "start") {
    const bool known = host.stopped.has_value();
    const Time since = known                                      ? *host.stopped
                       : host.sequence > 1 && host.last != Time() ? host.last
                                                                  : record.time;
    add_episode(Episode::Kind::Down, std::min(since, record.time), record.time, record,
                known ? "the daemon was stopped, and started again"
                : since < record.time
                    ? "the daemon had ended without warning, and was started again"
                    : "the daemon was started");
    host.stopped.reset();
  } else if (record.action == "fallback") {
    host.fallen_back = record.time;
    host.fallback = record.message;
  } else if (record.action == "recovery") {
    report_.copy_packets += record.count;
    report_.copy_allowed += record.allowed;
    report_.copy_denied += record.denied;
    add_episode(Episode::Kind::Copy, std::min(host.fallen_back.value_or(record.time), record.time),
                record.time, record, std::string(record.message));
    host.fallen_back.reset();
  } else if (record.action == "repair") {
    add_episode(Episode::Kind::Missing, record.time, record.time, record,
                std::string(record.message));
  } else if (record.action != "rotate") {
    add_episode(Episode::Kind::Other, record.time, record.time, record,
                std::string(record.message));
  }
}

void Tally::add_episode(Episode::Kind kind, Time begin, Time end, const Record& record,
                        std::string text) {
  if (report_.episodes.size() < kMostEpisodes) {
    report_.episodes.push_back({kind, begin, end, std::string(record.host), std::move(text)});
  } else {
    ++report_.more_episodes;
  }
}

std::size_t Tally::number_of(const std::string& service) {
  const auto found = service_numbers_.find(service);
  if (found != service_numbers_.end()) return found->second;
  if (service_names_.size() >= kMostServices) return 0;
  service_numbers_.emplace(service, service_names_.size());
  service_names_.push_back(service);
  service_totals_.emplace_back();
  return service_names_.size() - 1;
}

void Tally::finish_services() {
  std::vector<std::size_t> order(service_names_.size());
  std::iota(order.begin(), order.end(), 0);
  const auto total = [&](std::size_t number) {
    return service_totals_[number].accepted + service_totals_[number].denied;
  };
  // All others stay at the end, and what doesn't fit joins them.
  std::sort(order.begin() + 1, order.end(),
            [&](std::size_t a, std::size_t b) { return total(a) > total(b); });
  std::rotate(order.begin(), order.begin() + 1, order.end());
  const std::size_t shown = std::min(kShownServices, order.size() - 1);
  const std::vector<Slot> slots = slots_.all();
  std::vector<std::size_t> place(order.size(), shown);
  for (std::size_t at = 0; at < shown; ++at) place[order[at]] = at;
  std::vector<Service> services(shown + 1);
  for (std::size_t at = 0; at <= shown; ++at) {
    services[at].name = at < shown ? service_names_[order[at]] : service_names_[0];
    services[at].accepted_in.resize(slots.size());
    services[at].denied_in.resize(slots.size());
  }
  for (std::size_t slot = 0; slot < slots.size(); ++slot) {
    for (const auto& [number, pair] : slots[slot].services) {
      Service& service = services[place[number]];
      service.accepted += pair.accepted;
      service.denied += pair.denied;
      service.bytes += pair.bytes;
      service.accepted_in[slot] += pair.accepted;
      service.denied_in[slot] += pair.denied;
    }
    report_.denied_in.push_back(slots[slot].denied);
  }
  const Service& others = services.back();
  if (others.accepted + others.denied + others.bytes == 0) services.pop_back();
  report_.services = std::move(services);
}

// By its comment, where it has one; then its id and place.
Ranked Tally::ranked_rule(const std::string& id, std::uint64_t count) const {
  const auto known = rule_details_.find(id);
  if (known == rule_details_.end()) return {id, {}, count};
  const auto& [name, place] = known->second;
  if (name.empty()) return {id, place, count};
  return {name, fmt::format("{}{}{}", id == "default" ? "" : id, place.empty() ? "" : ", ", place),
          count};
}

void Tally::finish_tops() {
  report_.sources = sources_.size();
  report_.shortfall = std::max(sources_.shortfall(), pairs_.shortfall());
  for (auto& [name, count] : sources_.top(kTop))
    report_.top_sources.push_back({std::move(name), {}, count});
  for (auto& [name, count] : denied_services_.top(kTop))
    report_.top_services.push_back({std::move(name), {}, count});
  for (const auto& [id, count] : rules_.top(kTop))
    report_.top_rules.push_back(ranked_rule(id, count));
  Heat& heat = report_.heat;
  for (const Ranked& service : report_.top_services) {
    if (heat.services.size() < kHeatServices) heat.services.push_back(service.name);
  }
  for (const Ranked& source : report_.top_sources) {
    heat.sources.push_back(source.name);
    std::vector<std::uint64_t>& row = heat.denied.emplace_back();
    for (const std::string& service : heat.services)
      row.push_back(pairs_.of(fmt::format("{} {}", source.name, service)));
  }
}

Report Tally::finish() {
  for (auto& [name, host] : hosts_) {
    report_.hosts.push_back(name);
    Record last;
    last.host = name;
    if (host.fallen_back)
      add_episode(Episode::Kind::Copy, *host.fallen_back, std::max(*host.fallen_back, host.last),
                  last, host.fallback);
    if (host.stopped)
      add_episode(Episode::Kind::Down, *host.stopped, *host.stopped, last,
                  "the daemon was stopped");
  }
  if (range_.from) report_.from = *range_.from;
  if (range_.to) report_.to = *range_.to;
  report_.slot = slots_.length();
  report_.first_slot = slots_.begin();
  finish_services();
  finish_tops();
  return std::move(report_);
}

}  // namespace ctl::report

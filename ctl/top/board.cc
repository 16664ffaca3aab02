#include "ctl/top/board.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "rules/count.h"

namespace ctl::top {
namespace {

constexpr std::size_t kMostSources = 4096;  // in one interval
constexpr std::size_t kMostServices = 1024;
constexpr std::size_t kShown = 100;

// A counter that has begun anew gives nothing.
std::uint64_t more(std::uint64_t before, std::uint64_t now) {
  return now > before ? now - before : 0;
}

std::uint64_t reason(const api::Stats& stats, const char* name) {
  const auto found = stats.reasons.find(name);
  return found == stats.reasons.end() ? 0 : found->second;
}

std::uint64_t allowed(const api::Stats& stats) {
  return stats.packets.in.allow + stats.packets.out.allow + stats.kernel_copy.allow;
}

std::uint64_t refused(const api::Stats& stats) {
  const auto of = [](const api::ActionCounts& counts) { return counts.deny + counts.reject; };
  return of(stats.packets.in) + of(stats.packets.out) + stats.kernel_copy.deny;
}

std::uint64_t metered(const api::Stats& stats) {
  return stats.packets.in.limit + stats.packets.out.limit + stats.kernel_copy.limit;
}

std::string health_text(const api::Status& status, const api::Stats& stats, bool& healthy) {
  std::uint64_t waiting = 0;
  std::uint64_t dropped = 0;
  for (const api::Worker& worker : status.queue.workers) {
    waiting += worker.depth;
    dropped += worker.dropped + worker.user_dropped;
  }
  const api::AuditStatus& audit = status.audit;
  healthy = dropped == 0 && audit.lost == 0 && audit.trouble.empty() && status.warnings.empty();
  std::string text = fmt::format("queues: {} waiting, {} dropped  audit: {} waiting, {} lost",
                                 waiting, dropped, audit.waiting, audit.lost);
  if (!audit.trouble.empty()) text += fmt::format(" ({})", audit.trouble);
  text += fmt::format("  conntrack: {} of {}", status.conntrack.entries, status.conntrack.limit);
  if (stats.verdict_microseconds.p99 > 0)
    text += fmt::format("  verdicts: 99 % in {:.0f} us", stats.verdict_microseconds.p99);
  if (!status.warnings.empty())
    text += "  " + rules::count(status.warnings.size(), "warning") + " (fwctl status)";
  return text;
}

std::string copy_text(const api::CopyStatus& copy) {
  if (!copy.active) return {};
  return fmt::format(
      "The kernel's copy decides since {} ({}): {} allowed, {} denied since the start", copy.since,
      copy.reason, copy.allowed, copy.denied);
}

void describe(View& view, const Sample& sample) {
  const api::Status& status = sample.status;
  view.daemon =
      fmt::format("fwd {}, up {}, generation {}", status.version,
                  duration_text(std::chrono::seconds(status.uptime_seconds)), status.generation);
  const bool observing = status.mode == "observe";
  view.guarded = status.enabled && !observing;
  view.state = !status.enabled ? "inactive: nothing is filtered"
               : observing     ? "observing only: nothing is refused"
                               : "active";
  view.copy = copy_text(status.kernel_copy);
  view.health = health_text(status, sample.stats, view.healthy);
}

void sort_rows(std::vector<Row>& rows) {
  const auto busier = [](const Row& a, const Row& b) {
    const double left = a.rates.accepted + a.rates.denied;
    const double right = b.rates.accepted + b.rates.denied;
    if (left != right) return left > right;
    return a.total != b.total ? a.total > b.total : a.name < b.name;
  };
  std::ranges::sort(rows, busier);
  if (rows.size() > kShown) rows.resize(kShown);
}

}  // namespace

void Board::record(const log::Record& record) {
  if (record.dataset != log::Dataset::Verdict) return;
  host_ = record.host;
  if (denied_.empty()) denied_.emplace_back(kMostSources);
  const bool denied = record.verdict == log::Verdict::Denied;
  const std::string service = names_.of(record);
  if (services_.contains(service) || services_.size() < kMostServices) {
    Counts& counts = services_[service].now;
    (denied ? counts.denied : counts.accepted) += record.count;
  }
  if (!denied) return;
  denied_.back().add(record.source.ip.empty() ? std::string_view("many sources") : record.source.ip,
                     record.count);
  if (record.reason == "rate_limit") refused_[std::string(record.rule_id)] += record.count;
}

void Board::count_rule(const std::string& id, const std::string& name, const std::string& action,
                       const std::string& comment, std::uint64_t packets, bool observed,
                       bool comparable) {
  const auto [known, is_new] = packets_.try_emplace(id, packets);
  const std::uint64_t before = std::exchange(known->second, packets);
  const std::uint64_t count = !comparable || is_new ? 0 : more(before, packets);
  if (count == 0) return;
  Line& line = rules_[name];
  line.detail = comment;
  line.action = action;
  const bool denies = !observed && (action == "deny" || action == "reject");
  const auto over = refused_.find(id);
  const std::uint64_t denied = denies ? count
                               : action == "limit" && over != refused_.end()
                                   ? std::min(count, over->second)
                                   : 0;
  line.now.denied += denied;
  line.now.accepted += count - denied;
}

void Board::count_rules(const Sample& sample, bool comparable) {
  const bool observed = sample.status.mode == "observe";
  for (const api::Rule& rule : sample.rules.rules)
    count_rule(rule.id, rule.text, rule.action, rule.comment, rule.packets, observed, comparable);
  for (const api::Rule& rule : sample.rules.builtin)
    count_rule(fmt::format("{} {} {}", rule.id, rule.direction, rule.canonical), rule.id,
               rule.action, {}, rule.packets, observed, comparable);
  const api::Defaults& defaults = sample.rules.defaults;
  count_rule("default in", fmt::format("default {} in", defaults.in.action), defaults.in.action, {},
             defaults.in.packets, observed, comparable);
  count_rule("default out", fmt::format("default {} out", defaults.out.action), defaults.out.action,
             {}, defaults.out.packets, observed, comparable);
}

void Board::count_all(const Sample& sample, bool comparable) {
  if (comparable) {
    const std::uint64_t over =
        more(reason(*stats_, "rate_limit"), reason(sample.stats, "rate_limit"));
    const std::uint64_t limited = more(metered(*stats_), metered(sample.stats));
    all_.now.accepted =
        more(allowed(*stats_), allowed(sample.stats)) + more(std::min(over, limited), limited);
    all_.now.denied = more(refused(*stats_), refused(sample.stats)) + over;
  }
  stats_ = sample.stats;
}

Row Board::advance(const std::string& name, Line& line, double seconds) {
  const Counts counts = std::exchange(line.now, Counts{});
  line.total += counts.both();
  line.past.push_back(static_cast<double>(counts.both()) / seconds);
  if (line.past.size() > kPast) line.past.pop_front();
  return {name,
          line.detail,
          line.action,
          {static_cast<double>(counts.accepted) / seconds,
           static_cast<double>(counts.denied) / seconds},
          {line.past.begin(), line.past.end()},
          line.total};
}

// Lines that had nothing for long are dropped.
std::vector<Row> Board::advance(Lines& lines, double seconds) {
  std::vector<Row> rows;
  for (auto& [name, line] : lines) rows.push_back(advance(name, line, seconds));
  std::erase_if(lines, [](const auto& entry) {
    return std::ranges::all_of(entry.second.past, [](double rate) { return rate == 0; });
  });
  sort_rows(rows);
  return rows;
}

std::vector<Row> Board::sources(double seconds) {
  if (denied_.empty()) denied_.emplace_back(kMostSources);
  std::map<std::string, Row> rows;
  for (const report::Counter& interval : denied_) {
    for (auto& [source, count] : interval.top(kMostSources)) {
      Row& row = rows[source];
      row.name = source;
      row.total += count;
    }
  }
  std::vector<Row> result;
  for (auto& [source, row] : rows) {
    row.rates.denied = static_cast<double>(denied_.back().of(source)) / seconds;
    result.push_back(std::move(row));
  }
  std::ranges::sort(result, [](const Row& a, const Row& b) {
    return a.total != b.total ? a.total > b.total : a.name < b.name;
  });
  if (result.size() > kShown) result.resize(kShown);
  for (Row& row : result) {
    for (const report::Counter& interval : denied_)
      row.past.push_back(static_cast<double>(interval.of(row.name)) / seconds);
  }
  denied_.emplace_back(kMostSources);
  if (denied_.size() > kPast) denied_.pop_front();
  return result;
}

View Board::tick(Time time, double seconds, const std::optional<Sample>& sample,
                 const std::string& trouble) {
  View view;
  view.time = time;
  view.seconds = seconds;
  view.trouble = trouble;
  view.host = host_;
  if (sample) {
    // Another process, or the same number again for a later one.
    const bool comparable =
        stats_ && pid_ == sample->status.pid && uptime_ <= sample->status.uptime_seconds;
    count_rules(*sample, comparable);
    count_all(*sample, comparable);
    pid_ = sample->status.pid;
    uptime_ = sample->status.uptime_seconds;
    describe(view, *sample);
  }
  refused_.clear();
  view.all = advance("all", all_, seconds);
  view.services = advance(services_, seconds);
  view.rules = advance(rules_, seconds);
  view.sources = sources(seconds);
  return view;
}

}  // namespace ctl::top

// fwctl watch: the audit log as it comes.
#include <fmt/core.h>

#include "ctl/api/status.h"
#include "ctl/command_list.h"
#include "ctl/command_parts.h"
#include "ctl/log/files.h"
#include "ctl/log/filter.h"
#include "ctl/log/follower.h"
#include "ctl/render_record.h"
#include "rules/count.h"

namespace ctl {
namespace {

constexpr std::chrono::milliseconds kLookAgain{
    1000};  // also where the file system tells of no changes

// What is shown, and what of it is missing.
class Watch {
 public:
  Watch(const Context& context, log::Filter filter, std::optional<Time> since)
      : json_(context.json),
        whole_(context.json && context.words.size() == 1),
        filter_(std::move(filter)),
        since_(since),
        lines_(context.look) {}

  std::string take(std::string_view line) {
    const auto record = parser_.parse(line);
    if (!record) return json_ ? std::string() : lines_.note("a line that is no record of fwd's");
    std::string text = gap_before(*record);
    last_ = record->sequence;
    if ((since_ && record->time < *since_) || !(whole_ || filter_.matches(*record))) return text;
    return text + (json_ ? std::string(line) : lines_.text(*record));
  }

 private:
  std::string gap_before(const log::Record& record) const {
    if (json_ || last_ == 0 || record.sequence <= last_ + 1) return {};
    return lines_.note(
        fmt::format("{} missing in the log, from {} to {}",
                    rules::count(record.sequence - last_ - 1, "line is", "lines are"), last_ + 1,
                    record.sequence - 1));
  }

  bool json_;
  bool whole_;  // the log's own lines, all of them
  log::Filter filter_;
  std::optional<Time> since_;
  RecordLines lines_;
  log::Parser parser_;
  std::uint64_t last_ = 0;  // sequence
};

}  // namespace

std::expected<std::optional<Time>, api::Error> moment_option(const Context& context,
                                                             const char* name) {
  const auto option = context.options.find(name);
  if (option == context.options.end()) return std::nullopt;
  const auto moment = parse_moment(option->second, now());
  if (!moment) return std::unexpected(usage_error(fmt::format("{}: {}", name, moment.error())));
  return *moment;
}

// A daemon that doesn't run has left its log.
std::string log_path(const Context& context) {
  const auto option = context.options.find("--audit");
  if (option != context.options.end()) return option->second;
  const auto status = fetch<api::Status>(context, {"GET", "/v1/status", {}});
  return status ? status->audit.file : log::kDefaultPath;
}

Result watch(const Context& context) {
  auto filter = log::Filter::parse(std::span(context.words).subspan(1));
  if (!filter) return std::unexpected(std::move(filter.error()));
  const auto since = moment_option(context, "--since");
  if (!since) return std::unexpected(since.error());
  auto follower = log::Follower::open(log_path(context), *since);
  if (!follower) return std::unexpected(std::move(follower.error()));
  Watch shown(context, *std::move(filter), *since);
  std::string text;
  while (true) {
    const auto line = follower->next();
    if (!line) return std::unexpected(line.error());
    if (*line) text += shown.take(**line);
    constexpr std::size_t kMuch = 64 * 1024;
    if (!text.empty() && (!*line || text.size() > kMuch)) {
      if (!context.print(text)) return Output{{}, {}, static_cast<int>(api::ExitStatus::Refused)};
      text.clear();
    }
    if (!*line) follower->wait(kLookAgain);
  }
}

}  // namespace ctl

#include "ctl/api/rule.h"
#include "ctl/api/status.h"
#include "ctl/command_list.h"
#include "ctl/command_parts.h"
#include "ctl/render.h"

namespace ctl {
namespace {

constexpr const char* kStatusPath = "/v1/status";
constexpr const char* kRulesPath = "/v1/rules";

std::expected<Detail, api::Error> detail_of(const std::vector<std::string>& words) {
  if (words.size() == 1) return Detail::Brief;
  if (words.size() == 2 && words[1] == "numbered") return Detail::Numbered;
  if (words.size() == 2 && words[1] == "verbose") return Detail::Verbose;
  return usage("status [verbose|numbered]");
}

constexpr const char* kEnabled = "The firewall is active, now and at every start of fwd.\n";
constexpr const char* kDisabled =
    "The firewall is inactive: nothing is filtered until you run fwctl enable.\n";

constexpr const char* kModeUsage = "mode [observe|enforce]";
constexpr const char* kObserved =
    "Nothing is refused until you run fwctl mode enforce; audit records with the reason "
    "\"observe\" tell what would be.\n";
constexpr const char* kEnforced = "The policy is enforced, also for connections that are open.\n";

Result show_mode(const Context& context) {
  return answer<api::Status>(context, {"GET", kStatusPath, {}}, [](const api::Status& status) {
    return Output{one_line(status.mode) + '\n', {}, 0};
  });
}

Result switch_firewall(const Context& context, const char* path, const char* done) {
  if (context.words.size() != 1) return usage(context.words[0]);
  return answer<api::Enabled>(context, {"POST", path, api::encode(api::Nothing{}), kChangeTimeout},
                              [done](const api::Enabled& enabled) {
                                return Output{
                                    (enabled.already ? "Nothing to do. " : "") + std::string(done),
                                    render_diagnostics(enabled.warnings), 0};
                              });
}

}  // namespace

Result show_status(const Context& context) {
  const auto detail = detail_of(context.words);
  if (!detail) return std::unexpected(detail.error());
  if (context.json) {
    auto text = ask(context, {"GET", *detail == Detail::Numbered ? kRulesPath : kStatusPath, {}});
    if (!text) return std::unexpected(std::move(text.error()));
    return Output{*text + '\n', {}, 0};
  }
  const auto status = fetch<api::Status>(context, {"GET", kStatusPath, {}});
  if (!status) return std::unexpected(status.error());
  const auto list = fetch<api::RuleList>(context, {"GET", kRulesPath, {}});
  if (!list) return std::unexpected(list.error());
  return Output{render_status(*status, *list, *detail, context.look), {}, 0};
}

Result show_list(const Context& context) {
  if (context.words.size() != 1) return usage("list");
  return answer<api::RuleList>(context, {"GET", kRulesPath, {}}, [&](const api::RuleList& list) {
    return Output{render_statements(list.rules, context.look), {}, 0};
  });
}

Result show_stats(const Context& context) {
  if (context.words.size() != 1) return usage("stats");
  return answer<api::Stats>(context, {"GET", "/v1/stats", {}}, [&](const api::Stats& stats) {
    return Output{render_stats(stats, context.look), {}, 0};
  });
}

Result enable(const Context& context) {
  return switch_firewall(context, "/v1/enable", kEnabled);
}

Result change_mode(const Context& context) {
  if (context.words.size() == 1) return show_mode(context);
  const std::string& mode = context.words[1];
  if (context.words.size() > 2 || (mode != "observe" && mode != "enforce"))
    return usage(kModeUsage);
  return answer<api::ModeChanged>(
      context, {"POST", "/v1/mode", api::encode(api::ChangeMode{mode}), kChangeTimeout},
      [](const api::ModeChanged& changed) {
        const char* now = changed.mode == "observe" ? kObserved : kEnforced;
        return Output{(changed.already ? "Nothing to do. " : "") + std::string(now), {}, 0};
      });
}

Result disable(const Context& context) {
  Result result = switch_firewall(context, "/v1/disable", kDisabled);
  if (result || result.error().code != api::ErrorCode::Unreachable) return result;
  const auto ended = context.disable_without_daemon();
  // Who isn't root learns that the daemon is missing, which is what he can do something about.
  if (!ended)
    return ended.error().code == api::ErrorCode::NotPermitted ? result
                                                              : std::unexpected(ended.error());
  if (!context.json || ended->status != 0) return Output{ended->output, {}, ended->status};
  return Output{api::encode(api::Enabled{}) + '\n', ended->output, 0};
}

}  // namespace ctl

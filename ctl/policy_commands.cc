#include <utility>

#include "ctl/api/policy.h"
#include "ctl/command_list.h"
#include "ctl/command_parts.h"
#include "ctl/policy_files.h"
#include "ctl/render.h"
#include "ctl/session.h"
#include "rules/count.h"

namespace ctl {
namespace {

constexpr const char* kSetsPath = "/v1/sets";
constexpr std::string_view kSetSynopsis = "set add|remove|list NAME [ADDR...]";

Result list_sets(const Context& context) {
  const auto& words = context.words;
  if (words.size() == 2) {
    return answer<api::SetList>(context, {"GET", kSetsPath, {}}, [&](const api::SetList& list) {
      return Output{render_sets(list.sets, context.look), {}, 0};
    });
  }
  if (words.size() > 3) return usage("set list [NAME]");
  const std::string path = std::string(kSetsPath) + '/' + percent_encode(words[2]);
  return answer<api::Set>(context, {"GET", path, {}}, [](const api::Set& set) {
    return Output{render_members(set), {}, 0};
  });
}

// The policy of a file, whole, ready to be sent.
std::expected<api::Sources, api::Error> sources_of(const std::string& file) {
  auto tree = read_policy(file);
  if (!tree) return std::unexpected(std::move(tree.error()));
  if (auto sendable = check_sendable(tree->main); !sendable)
    return std::unexpected(sendable.error());
  for (const rules::Source& include : tree->includes) {
    if (auto sendable = check_sendable(include); !sendable)
      return std::unexpected(sendable.error());
  }
  return api::Sources{std::move(tree->main), std::move(tree->includes)};
}

}  // namespace

Result change_sets(const Context& context) {
  const auto& words = context.words;
  const bool add = words.size() > 1 && words[1] == "add";
  if (words.size() > 1 && words[1] == "list") return list_sets(context);
  if (words.size() < 4 || (!add && words[1] != "remove")) return usage(kSetSynopsis);
  std::vector<std::string> members(words.begin() + 3, words.end());
  api::ChangeSet change;
  (add ? change.add : change.remove) = std::move(members);
  const Request request{"POST", std::string(kSetsPath) + '/' + percent_encode(words[2]),
                        api::encode(change), kChangeTimeout};
  return answer<api::SetChanged>(context, request, [](const api::SetChanged& changed) {
    return Output{
        fmt::format("{}: set {} has {}{}\n", changed.already ? "Nothing to do" : "Done",
                    one_line(changed.set), rules::count(changed.entries, "entry", "entries"),
                    cut_text(changed.cut)),
        {},
        0};
  });
}

Result check_file(const Context& context) {
  if (context.words.size() != 2) return usage("check FILE");
  const auto tree = read_policy(context.words[1]);
  if (!tree) return std::unexpected(tree.error());
  const auto checked = check_policy(*tree, read_services());
  if (!checked) return std::unexpected(checked.error());
  if (context.json) return Output{api::encode(*checked) + '\n', {}, 0};
  return Output{
      fmt::format("{}: {}, {}, no errors\n", one_line(tree->main.name),
                  rules::count(checked->rules, "rule"), rules::count(checked->sets, "set")),
      render_diagnostics(checked->warnings), 0};
}

Result diff_file(const Context& context) {
  if (context.words.size() != 2) return usage("diff FILE");
  const auto sources = sources_of(context.words[1]);
  if (!sources) return std::unexpected(sources.error());
  const Session own = own_session();
  const std::string path = fmt::format("/v1/diff?from={}&to={}", percent_encode(own.source),
                                       percent_encode(own.destination));
  const Request request{"POST", path, api::encode(*sources), kChangeTimeout};
  return answer<api::Diff>(context, request, [&](const api::Diff& diff) {
    return Output{render_diff(diff, own, context.look), render_diagnostics(diff.warnings), 0};
  });
}

Result apply_file(const Context& context) {
  if (context.words.size() != 2) return usage("apply FILE");
  const auto sources = sources_of(context.words[1]);
  if (!sources) return std::unexpected(sources.error());
  const Request request{"PUT", "/v1/policy", api::encode(*sources), kChangeTimeout};
  return answer<api::Applied>(context, request, [](const api::Applied& applied) {
    return Output{
        fmt::format("{}: {}, generation {}{}\n",
                    applied.already ? "Already in force" : "Policy applied",
                    rules::count(applied.rules, "rule"), applied.generation, cut_text(applied.cut)),
        render_diagnostics(applied.warnings), 0};
  });
}

}  // namespace ctl

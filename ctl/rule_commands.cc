#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "ctl/api/rule.h"
#include "ctl/command_list.h"
#include "ctl/command_parts.h"
#include "ctl/policy_files.h"
#include "ctl/render.h"

namespace ctl {
namespace {

constexpr const char* kPath = "/v1/rules";

using Words = std::vector<std::string>;

Words from(const Words& words, std::size_t first) {
  return {words.begin() + static_cast<std::ptrdiff_t>(std::min(first, words.size())), words.end()};
}

std::optional<std::uint64_t> parse_position(const std::string& word) {
  std::uint64_t position = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), position);
  if (error != std::errc() || end != word.data() + word.size() || position == 0)
    return std::nullopt;
  return position;
}

std::string_view what_was_done(const api::RuleAdded& added) {
  if (added.updated) return "Rule updated";
  return added.already ? "Already there" : "Rule added";
}

constexpr std::string_view kNotMoved = "; not moved (delete it first to move it)";

std::string added_text(const api::RuleAdded& added, std::uint64_t wanted_number, const Look& look) {
  const bool elsewhere = added.already && added.rule.number != wanted_number;
  if (elsewhere && !added.updated)
    return fmt::format("Already there, as rule {}{}\n", added.rule.number, kNotMoved);
  return fmt::format("{}: {}{}{}\n", what_was_done(added), render_rule(added.rule, look),
                     elsewhere ? kNotMoved : "", cut_text(added.cut));
}

Result send_rule(const Context& context, const Words& words,
                 std::optional<std::uint64_t> position) {
  const std::string text = join_rule(words);
  if (auto sendable = check_sendable({"command line", text}); !sendable) {
    return std::unexpected(std::move(sendable.error()));
  }
  const Request request{"POST", kPath, api::encode(api::AddRule{text, position}), kChangeTimeout};
  return answer<api::RuleAdded>(context, request, [&](const api::RuleAdded& added) {
    return Output{added_text(added, position.value_or(added.rule.number), context.look),
                  render_diagnostics(added.warnings), 0};
  });
}

}  // namespace

Result add_rule(const Context& context) {
  if (context.words.size() < 2) return usage("add RULE");
  return send_rule(context, from(context.words, 1), std::nullopt);
}

Result append_rule(const Context& context) {
  if (context.words.size() < 2) return usage(context.words[0] + " RULE");
  return send_rule(context, context.words, std::nullopt);
}

Result insert_rule(const Context& context) {
  if (context.words.size() < 3) return usage("insert N RULE");
  const auto position = parse_position(context.words[1]);
  if (!position)
    return usage("insert N RULE, where N is the number that the rule will have, from 1");
  return send_rule(context, from(context.words, 2), position);
}

Result remove_rule(const Context& context) {
  if (context.words.size() < 2) return usage(context.words[0] + " N|ID|RULE");
  const std::string select = join_rule(from(context.words, 1));
  const Request request{
      "DELETE", std::string(kPath) + "?select=" + percent_encode(select), {}, kChangeTimeout};
  return answer<api::RuleRemoved>(context, request, [&](const api::RuleRemoved& removed) {
    return Output{fmt::format("Rule removed: {}{}\n", render_rule(removed.rule, context.look),
                              cut_text(removed.cut)),
                  {},
                  0};
  });
}

}  // namespace ctl

// PolicyManager's edits by command: of one rule, or of one set's members. Each makes a new text of
// the main file.

#include <exception>

#include <fmt/core.h>

#include "fwd/beside.h"
#include "fwd/log.h"
#include "fwd/policy/manager.h"
#include "rules/edit.h"
#include "rules/edit_places.h"
#include "rules/parser.h"
#include "rules/resolver.h"
#include "rules/select.h"
#include "rules/set_edit.h"
#include "rules/shadow.h"

namespace fwd::policy {
namespace {

using ctl::api::ErrorCode;

std::unexpected<Error> error(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message), {}});
}

// One rule as a command names it, and what the command says beside the match.
struct NamedRule {
  rules::RuleId id;
  rules::Remarks remarks;
};

Outcome<NamedRule> read_rule(const std::string& text, const rules::Policy& policy,
                             const rules::Services& services) {
  auto parsed = rules::parse_rule(text);
  if (!parsed) return std::unexpected(to_error({parsed.error()}));
  auto rule = rules::resolve_rule(parsed->rule, policy, services);
  if (!rule) return std::unexpected(to_error({rule.error()}));
  rules::Remarks remarks{.log = std::nullopt, .comment = std::move(parsed->rule.comment)};
  if (rule->log != rules::Log::Default) remarks.log = rule->log;
  return NamedRule{rule->id, std::move(remarks)};
}

// Looked for when the rule is in force, since that takes a look at all others; it stays in force whatever comes of this.
std::vector<rules::Diagnostic> warnings_about(const InForce& now, std::size_t index) {
  try {
    return rules::check_new_rule(now.active->policy, index);
  } catch (const std::exception& error) {
    log::error("whether the new rule ever decides isn't known: {}", error.what());
    return {};
  }
}

rules::EditedSet edit_members(const rules::Policy& policy, const std::string& set,
                              const SetChange& change, const rules::Services& services) {
  return change.remove.empty() ? rules::add_members(policy, set, change.add, services)
                               : rules::remove_members(policy, set, change.remove, services);
}

}  // namespace

// What is edited may be no policy any more: too large, say, or with an `expect` that isn't true now. Its text is written by then, and
// goes again. Whether somebody changed a file by hand comes before anything else that is wrong: the edit is of another text.
Outcome<Applied> PolicyManager::commit_edit(const MakeEdit& make) {
  const State before = state();
  auto unchanged = beside([&] { return check_unchanged(*before); });
  const auto refuse = [&](Error error) {
    auto same = unchanged.get();
    return std::unexpected(same ? std::move(error) : std::move(same.error()));
  };
  Writing writing;
  const auto write = [&](Sources sources) {
    if (!rules::check_size(*sources)) writing = write_draft(std::move(sources));
  };
  auto edited = make({before->active->policy, before->outline, services_, write});
  if (!edited) {
    // A position beyond the rules has no place in the text; one inside an include has.
    const bool beyond = edited.error().where.line == 0;
    return refuse(to_error({edited.error()}, beyond ? ErrorCode::BadRequest : ErrorCode::Refused));
  }
  const Sources sources = edited->policy.sources;
  const LiveEffect effect = rules::may_deny_more(*edited, before->active->policy)
                                ? LiveEffect::MayCut
                                : LiveEffect::CutsNone;
  if (auto fault = rules::check_size(*sources))
    return refuse(to_error({*std::move(fault)}, ErrorCode::Refused));
  auto built = build(*before->active, *std::move(edited), services_, next_stamp());
  if (!built) {
    auto diagnostics = std::move(built.error().diagnostics);
    rules::place_before_edit(diagnostics, before->sources().main, sources->main.text);
    return refuse(to_error(std::move(diagnostics), ErrorCode::Refused));
  }
  if (auto same = unchanged.get(); !same) return std::unexpected(std::move(same.error()));
  return commit_written(*std::move(built), std::move(writing), effect);
}

// The same where what the text means is to be found out again.
Outcome<Applied> PolicyManager::commit_text(const std::string& main_text) {
  const State before = state();
  const auto sources = std::make_shared<const rules::SourceTree>(
      rules::SourceTree{{before->sources().main.name, main_text}, before->sources().includes});
  auto applied = commit(sources, write_draft(sources));
  if (applied || applied.error().code != ErrorCode::Syntax) return applied;
  auto diagnostics = std::move(applied.error().diagnostics);
  rules::place_before_edit(diagnostics, before->sources().main, main_text);
  return std::unexpected(to_error(std::move(diagnostics), ErrorCode::Refused));
}

Outcome<RuleChange> PolicyManager::add_rule(const std::string& text,
                                            std::optional<std::size_t> position) {
  const std::lock_guard lock(change_mutex_);
  const State before = state();
  const auto rule = read_rule(text, before->active->policy, services_);
  if (!rule) return std::unexpected(rule.error());
  if (const auto index = before->active->policy.rules.index_of(rule->id))
    return update_rule(*index, rule->remarks);

  std::size_t index = 0;
  auto applied = commit_edit([&](const rules::EditBase& base) {
    auto edited =
        position ? rules::insert_rule(base, *position, text) : rules::append_rule(base, text);
    if (edited) index = edited->index;
    return edited;
  });
  if (!applied) return std::unexpected(std::move(applied.error()));
  return RuleChange{applied->state, index, warnings_about(*applied->state, index), false,
                    applied->cut};
}

// As with ufw: the same rule again is a way to change its comment, or how it is logged.
Outcome<RuleChange> PolicyManager::update_rule(std::size_t index, rules::Remarks remarks) {
  const State before = state();
  const rules::Rule& rule = before->active->policy.rules[index];
  if (remarks.log == rule.log) remarks.log.reset();
  if (remarks.comment == rule.comment.value_or("")) remarks.comment.reset();
  if (!remarks.log && !remarks.comment) {
    if (auto unchanged = check_unchanged(*before); !unchanged)
      return std::unexpected(std::move(unchanged.error()));
    return RuleChange{before, index, {}, true};
  }
  auto applied = commit_edit(
      [&](const rules::EditBase& base) { return rules::change_remarks(base, index, remarks); });
  if (!applied) return std::unexpected(std::move(applied.error()));
  return RuleChange{applied->state, index, {}, true, applied->cut, true};
}

Outcome<RuleChange> PolicyManager::remove_rule(const std::string& selection) {
  const std::lock_guard lock(change_mutex_);
  const State before = state();
  const auto index = rules::select_rule(before->active->policy, selection, services_);
  if (!index) {
    const bool not_found = index.error().where.line == 0;  // else the text is no rule
    return std::unexpected(
        to_error({index.error()}, not_found ? ErrorCode::NotFound : ErrorCode::Syntax));
  }
  auto applied =
      commit_edit([&](const rules::EditBase& base) { return rules::remove_rule(base, *index); });
  if (!applied) return std::unexpected(std::move(applied.error()));
  return RuleChange{before, *index, {}, false, applied->cut};
}

Outcome<Applied> PolicyManager::change_set(const std::string& name, const SetChange& change) {
  const std::lock_guard lock(change_mutex_);
  const State before = state();
  const auto& sets = before->active->policy.sets;
  const auto set = sets.find(name);
  if (set == sets.end()) return std::unexpected(no_such_set(before->active->policy, name));
  const rules::Location& where = set->second.where;
  if (where.file != before->sources().main.name) {
    return error(
        ErrorCode::Refused,
        fmt::format("the set stands in an included file ({}:{}), which commands don't change",
                    where.file, where.line));
  }
  auto edited = edit_members(before->active->policy, name, change, services_);
  const bool of_addresses = edited && *edited && (*edited)->addresses != nullptr;
  if (!of_addresses) {
    if (auto unchanged = check_unchanged(*before); !unchanged)
      return std::unexpected(std::move(unchanged.error()));
  }
  if (!edited) {
    return std::unexpected(
        to_error({edited.error()}, change.remove.empty() ? ErrorCode::Syntax : ErrorCode::Refused));
  }
  if (!*edited) return Applied{before, {}, true};
  rules::SetEdit set_edit = **std::move(edited);
  if (!of_addresses) return commit_text(set_edit.text);
  return commit_edit([&](const rules::EditBase& base) {
    return rules::change_set(base, name, std::move(set_edit));
  });
}

}  // namespace fwd::policy

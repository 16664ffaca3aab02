#include "fwd/policy/manager.h"

#include <algorithm>

#include <fmt/core.h>

#include "fwd/beside.h"
#include "fwd/log.h"

namespace fwd::policy {
namespace {

using ctl::api::ErrorCode;

// The daemon calls the main file by its own name, who sent the text by another one.
Error rename_source(Error error, const std::string& from, const std::string& to) {
  for (rules::Diagnostic& diagnostic : error.diagnostics) {
    if (diagnostic.where.file == from) diagnostic.where.file = to;
    for (rules::Location& other : diagnostic.other) {
      if (other.file == from) other.file = to;
    }
  }
  return error.diagnostics.empty() ? error : to_error(std::move(error.diagnostics), error.code);
}

const rules::Source* find(const std::vector<rules::Source>& sources, const std::string& name) {
  const auto found = std::ranges::find(sources, name, &rules::Source::name);
  return found == sources.end() ? nullptr : &*found;
}

// The daemon reads its own folder and nothing that a client names: what was sent must be what is
// there.
std::optional<Error> compare_includes(const rules::SourceTree& here,
                                      const rules::SourceTree& sent) {
  for (const rules::Source& include : here.includes) {
    const rules::Source* other = find(sent.includes, include.name);
    if (other != nullptr && other->text == include.text) continue;
    return Error{ErrorCode::Refused,
                 include.name + " in the policy's folder differs from the one that was sent",
                 {}};
  }
  for (const rules::Source& include : sent.includes) {
    if (find(here.includes, include.name) != nullptr) continue;
    return Error{
        ErrorCode::Refused, include.name + " was sent, but isn't in the policy's folder", {}};
  }
  return std::nullopt;
}

}  // namespace

Outcome<Loaded> load(const PolicyStore& store, const ReadServices& read_services,
                     const Stamp& stamp) {
  const auto services_text = read_services();
  if (!services_text) return internal(services_text.error());
  auto sources = store.read();
  if (!sources) return std::unexpected(std::move(sources.error()));
  auto services = rules::parse_services(*services_text);
  auto built = build(*std::move(sources), services, stamp);
  if (!built) return std::unexpected(std::move(built.error()));
  return Loaded{std::move(services), std::move(*built)};
}

PolicyManager::PolicyManager(PolicyStore store, const std::string& state_directory,
                             Installer installer, ReadServices read_services, Loaded loaded)
    : store_(std::move(store)),
      enabled_mark_(state_directory),
      mode_mark_(state_directory),
      last_good_(state_directory),
      read_services_(std::move(read_services)),
      installer_(std::move(installer)),
      services_(std::move(loaded.services)) {
  set_state(std::move(loaded.built.outline), std::move(loaded.built.active), 0);
}

Result<void> PolicyManager::start() {
  const std::lock_guard lock(change_mutex_);
  const auto enabled = enabled_mark_.read();
  if (!enabled) return std::unexpected(enabled.error());
  const auto mode = mode_mark_.read();
  if (!mode) return std::unexpected(mode.error());
  enabled_ = *enabled;
  mode_ = *mode;
  const auto table = installer_.firewall().read();
  if (!table) return std::unexpected(table.error());
  if (*table) generation_ = (*table)->generation;
  if (!enabled_ && *table) {
    if (auto removed = installer_.firewall().remove(); !removed) return removed;
  }
  return enforce_again();
}

Outcome<Built> PolicyManager::check(const rules::SourceTree& sources) const {
  const std::lock_guard lock(change_mutex_);
  return build(sources, services_, {});
}

Outcome<Difference> PolicyManager::diff(const rules::SourceTree& sources) const {
  const std::lock_guard lock(change_mutex_);
  auto built = build(sources, services_, next_stamp());
  if (!built) return std::unexpected(std::move(built.error()));
  const State now = state();
  Difference difference{rules::diff(now->active->policy, built->active->policy),
                        !same(sources, now->sources()),
                        std::move(built->active),
                        {},
                        std::move(built->warnings)};
  if (!enabled_) return difference;
  auto cut = installer_.would_cut(difference.active);
  if (!cut) return internal(cut.error());
  difference.cut = std::move(*cut);
  return difference;
}

Outcome<Applied> PolicyManager::apply(rules::SourceTree sent) {
  const std::lock_guard lock(change_mutex_);
  const State before = state();
  auto gathered = store_.gather(std::move(sent.main.text));
  if (!gathered)
    return std::unexpected(
        rename_source(std::move(gathered.error()), store_.name(), sent.main.name));
  const auto sources = std::make_shared<const rules::SourceTree>(*std::move(gathered));
  if (auto difference = compare_includes(*sources, sent))
    return std::unexpected(std::move(*difference));

  const auto on_disk = store_.read_main();
  if (!on_disk) return internal(on_disk.error());
  const bool write = *on_disk != sources->main.text;
  if (write && !on_disk->empty() && *on_disk != before->sources().main.text) {
    return std::unexpected(store_.changed_by_hand());
  }
  if (!write && same(*sources, before->sources()) && in_force()) return Applied{before, {}, true};
  auto applied = commit(sources, write ? write_draft(sources) : Writing());
  if (!applied)
    return std::unexpected(
        rename_source(std::move(applied.error()), store_.name(), sent.main.name));
  return applied;
}

Outcome<Applied> PolicyManager::reload() {
  const std::lock_guard lock(change_mutex_);
  auto loaded = load(store_, read_services_, next_stamp());
  if (!loaded) return std::unexpected(std::move(loaded.error()));
  auto applied = commit_built(std::move(loaded->built), std::nullopt);
  if (applied) services_ = std::move(loaded->services);
  return applied;
}

State PolicyManager::state() const {
  const std::lock_guard lock(state_mutex_);
  return state_;
}

void PolicyManager::set_state(rules::Outline outline, Active active, std::size_t cut) {
  auto state = std::make_shared<const InForce>(
      InForce{std::move(outline), std::move(active), std::chrono::system_clock::now(), cut});
  const std::lock_guard lock(state_mutex_);
  state_ = std::move(state);
}

Stamp PolicyManager::next_stamp() const {
  return {version_ + 1, kernel::next(generation_), mode_, installer_.workers()};
}

// Whether the kernel has what we think it has; nobody promised to leave it alone.
bool PolicyManager::in_force() const {
  if (!enabled_) return true;
  const auto table = installer_.firewall().read();
  return table && *table && (*table)->generation == generation_;
}

Result<Cut> PolicyManager::enforce(const Active& active, LiveEffect effect) {
  // Whatever comes of it: a commit that failed after it was written must not share its numbers.
  generation_ = active->generation;
  version_ = active->version;
  if (!enabled_) {
    installer_.prepare(active);
    return none_cut();
  }
  const auto there = installer_.firewall().exists();
  if (!there) return std::unexpected(there.error());
  return *there ? installer_.commit(active, effect) : installer_.install_first(active);
}

// The policy that is in force, under a generation of its own: packets may have been judged by
// something else meanwhile, or in another mode.
Result<void> PolicyManager::enforce_again() {
  const State now = state();
  const Stamp stamp = next_stamp();
  const auto active = std::make_shared<const engine::ActivePolicy>(
      now->active->policy, now->active->rules, stamp.version, stamp.generation, stamp.mode,
      stamp.workers, now->active->services);
  auto cut = enforce(active);
  if (!cut) return std::unexpected(cut.error());
  set_state(now->outline, active, cut->get());
  last_good_.keep(active->policy.sources);
  return {};
}

// After a change that failed on its way: what kernel and workers have got of it.
void PolicyManager::take_back() {
  if (installer_.in_use() == state()->active) return;
  if (auto restored = enforce_again(); !restored) {
    log::critical("the kernel has a policy that the file hasn't: {}", restored.error().message());
  }
}

Outcome<Draft> PolicyManager::prepare(const rules::SourceTree& sources) const {
  auto draft = store_.prepare(sources.main.text);
  if (!draft) return internal(draft.error());
  return *std::move(draft);
}

PolicyManager::Writing PolicyManager::write_draft(Sources sources) const {
  return beside([this, sources = std::move(sources)] { return prepare(*sources); });
}

Outcome<Applied> PolicyManager::commit(Sources sources, Writing writing) {
  auto built = build(std::move(sources), services_, next_stamp());
  if (!built) return std::unexpected(std::move(built.error()));
  if (!writing.valid()) return commit_built(std::move(*built), std::nullopt);
  return commit_written(std::move(*built), std::move(writing));
}

Outcome<Applied> PolicyManager::commit_written(Built built, Writing writing, LiveEffect effect) {
  auto draft = writing.get();
  if (!draft) return std::unexpected(std::move(draft.error()));
  return commit_built(std::move(built), std::move(*draft), effect);
}

Outcome<Applied> PolicyManager::commit_built(Built built, std::optional<Draft> draft,
                                             LiveEffect effect) {
  const Active active = std::move(built.active);
  auto cut = enforce(active, effect);
  if (!cut) {
    take_back();
    return internal(cut.error());
  }
  if (draft) {
    // Live connections are judged meanwhile.
    if (auto published = draft->publish(); !published) {
      cut->wait();
      take_back();
      return internal(published.error());
    }
  }
  const std::size_t count = cut->get();
  set_state(std::move(built.outline), active, count);
  last_good_.keep(active->policy.sources);
  return Applied{state(), std::move(built.warnings), false, count};
}

}  // namespace fwd::policy

#include "fwd/policy/last_good.h"

#include <chrono>
#include <utility>

#include "ctl/api/codec.h"
#include "ctl/api/policy.h"
#include "fwd/files.h"
#include "fwd/log.h"

namespace fwd::policy {

Result<std::optional<rules::SourceTree>> LastGood::read() const {
  const auto text = read_file(path_);
  if (!text && text.error().code == ENOENT) return std::nullopt;
  if (!text) return std::unexpected(text.error());
  auto sources = ctl::api::decode<ctl::api::Sources>(*text);
  if (!sources) return failed(path_ + ": " + sources.error(), 0);
  return rules::SourceTree{std::move(sources->main), std::move(sources->includes)};
}

Result<void> LastGood::keep(const rules::SourceTree& sources) const {
  const std::string text = ctl::api::encode(ctl::api::Sources{sources.main, sources.includes});
  if (holds(path_, text).value_or(false)) return {};
  return replace_file(path_, text);
}

LastGoodKeeper::LastGoodKeeper(const std::string& state_directory) : last_good_(state_directory) {
  constexpr std::chrono::milliseconds kPause{
      500};  // a script's edits are kept once, and not while it makes them
  writing_.emplace([this] { write(); }, kPause);
}

LastGoodKeeper::~LastGoodKeeper() {
  writing_.reset();
  write();
}

void LastGoodKeeper::keep(std::shared_ptr<const rules::SourceTree> sources) {
  {
    const std::lock_guard lock(mutex_);
    next_ = std::move(sources);
  }
  writing_->want();
}

// The policy is in force all the same, and its file is in order now.
void LastGoodKeeper::write() {
  std::unique_lock lock(mutex_);
  const auto sources = std::exchange(next_, nullptr);
  lock.unlock();
  if (!sources) return;
  if (auto kept = last_good_.keep(*sources); !kept) {
    log::error("the next boot has no policy to fall back on: {}", kept.error().message());
  }
}

}  // namespace fwd::policy

#include "fwd/audit/fold.h"

#include <cstring>
#include <utility>

#include "fwd/clock.h"

namespace fwd::audit {
namespace {

constexpr std::uint64_t mixed(std::uint64_t value) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio
  value *= kOdd;
  return value ^ value >> 32U;
}

}  // namespace

bool Budget::take(const VerdictRecord& record) noexcept {
  if (record.sampled_out) return false;
  if (lines_per_second_ == 0) return true;
  if (const auto second = second_of(record.realtime_ns); second != second_) {
    second_ = second;
    taken_ = {};
  }
  const bool allowed = engine::action_of(record.judgement.outcome) == rules::Action::Allow;
  return ++taken_[allowed ? 1 : 0] <= lines_per_second_;
}

std::uint32_t Folder::hash(const Key& key) const noexcept {
  std::uint64_t kinds = 0;
  std::memcpy(&kinds, key.kinds.data(), sizeof kinds);
  return static_cast<std::uint32_t>(
      mixed(mixed(mixed(seed_ ^ key.source.high) ^ key.source.low) ^ kinds ^ key.index));
}

std::optional<std::uint32_t> Folder::find(const Key& key) const {
  return index_.find(hash(key), [&](std::uint32_t place) { return keys_[place] == key; });
}

Folder::Key Folder::key_of(const VerdictRecord& record) {
  const engine::Judgement& judgement = record.judgement;
  const auto number = [](auto kind) { return static_cast<std::uint8_t>(kind); };
  return {judgement.decoded ? judgement.packet.source : rules::Address{},
          judgement.decision.index,
          {number(judgement.decision.by), number(judgement.direction), number(judgement.outcome),
           number(judgement.reason), judgement.packet.protocol,
           number(number(judgement.decoded) | number(record.sampled_out) << 1U),
           number(record.decided_by), number(record.packet_class)}};
}

void Folder::add(const VerdictRecord& record) {
  if (!open_.empty() && record.policy_version != open_.front().first.policy_version) close();
  close_before(record.realtime_ns);
  Fold& fold = fold_for(record);
  fold.last_ns = record.realtime_ns;
  ++fold.packets;
  ++packets_;
}

Fold& Folder::fold_for(const VerdictRecord& record) {
  Key key = key_of(record);
  if (!record.sampled_out) {
    if (const auto found = find(key)) return open_[*found];
    if (record.judgement.decoded && open_.size() < kMostFolds) {
      return open_[find_or_open(key, record)];
    }
  }
  key.source = {.family = key.source.family};
  if (shared_at_ == 0 || key != shared_) {
    shared_at_ = find_or_open(key, record);
    shared_ = key;
    open_[shared_at_].one_source = false;
  }
  return open_[shared_at_];
}

std::size_t Folder::find_or_open(const Key& key, const VerdictRecord& record) {
  if (const auto found = find(key)) return *found;
  index_.add(hash(key), static_cast<std::uint32_t>(open_.size()));
  keys_.push_back(key);
  open_.push_back({.first = record});
  return open_.size() - 1;
}

void Folder::close_before(std::int64_t now_ns) {
  if (open_.empty()) return;
  if (second_of(now_ns) != second_of(open_.front().first.realtime_ns)) close();
}

void Folder::close() {
  closed_.insert(closed_.end(), open_.begin(), open_.end());
  open_.clear();
  keys_.clear();
  index_.clear();
  shared_at_ = 0;
}

void Folder::pop() {
  packets_ -= closed_.front().packets;
  closed_.pop_front();
}

std::uint64_t Folder::abandon() {
  close();
  closed_.clear();
  return std::exchange(packets_, 0);
}

}  // namespace fwd::audit

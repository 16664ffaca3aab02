// Floods in few lines. So many decisions in a second get a record each; what goes beyond is told
// together, one record for each rule and source in that second, with the exact count; what isn't in
// its rule's sample is told likewise, by rule alone. Budget chooses, Folder collects.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <vector>

#include "fwd/audit/fold_index.h"
#include "fwd/audit/record.h"

namespace fwd::audit {

// Records that get a line of their own in each second. Allowed and denied ones count apart, so a
// flood of refused packets never folds the records of those who were let in.
class Budget {
 public:
  // 0: every record gets a line that isn't sampled out.
  explicit Budget(std::uint32_t lines_per_second) : lines_per_second_(lines_per_second) {}

  // Whether this record, the next one, has a line of its own.
  bool take(const VerdictRecord& record) noexcept;

 private:
  std::uint32_t lines_per_second_;
  std::int64_t second_ = 0;
  std::array<std::uint64_t, 2> taken_{};
};

// Decisions of one second that differ in nothing but destination and ports, and beyond kMostFolds in the source.
struct Fold {
  VerdictRecord first;
  std::int64_t last_ns = 0;  // as VerdictRecord::realtime_ns
  std::uint64_t packets = 0;
  bool one_source = true;  // else `first` is merely the first of many
};

class Folder {
 public:
  // Of one source each, in a second; sources that come later share one fold for each rule, so that neither memory nor
  // the log grows with forged addresses.
  static constexpr std::size_t kMostFolds = 1024;

  void add(const VerdictRecord& record);

  // Ends what is being collected, unless it is of the second of `now_ns`.
  void close_before(std::int64_t now_ns);
  void close();

  // Oldest first. A fold stays until pop().
  const std::deque<Fold>& closed() const noexcept { return closed_; }
  void pop();

  std::uint64_t packets() const noexcept { return packets_; }  // collected and not popped
  std::uint64_t abandon();                                     // forgets that many

 private:
  struct Key {
    rules::Address source;
    std::uint32_t index;
    std::array<std::uint8_t, 8> kinds;  // by, direction, outcome, reason, protocol...

    bool operator==(const Key&) const = default;
  };
  static Key key_of(const VerdictRecord& record);
  Fold& fold_for(const VerdictRecord& record);
  std::uint32_t hash(const Key& key) const noexcept;
  std::optional<std::uint32_t> find(const Key& key) const;
  std::size_t find_or_open(const Key& key, const VerdictRecord& record);

  const std::uint64_t seed_ = std::random_device{}();  // so that nobody can aim at one place
  FoldIndex index_;                                    // of keys_
  std::vector<Key> keys_;                              // of each fold in open_
  std::vector<Fold> open_;                             // all of one second and one policy
  Key shared_{};                                       // of the fold of many sources found last
  std::size_t shared_at_ = 0;                          // in open_; 0: none yet
  std::deque<Fold> closed_;
  std::uint64_t packets_ = 0;
};

}  // namespace fwd::audit

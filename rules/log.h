// What a rule says of its audit records.
#pragma once

#include <cstdint>

namespace rules {

class Log {
 public:
  enum Kind : std::uint8_t {
    Default,  // as Always, and no clause says it
    Always,
    None,
    Sample  // of those that are accepted
  };
  static constexpr std::uint32_t kLeastSample = 2;
  static constexpr std::uint32_t kMostSample = 1'000'000;

  constexpr Log(Kind kind = Default) : kind_(kind), one_in_(1) {}
  // `one_in` is from kLeastSample to kMostSample.
  static constexpr Log sample(std::uint32_t one_in) {
    Log log(Sample);
    log.one_in_ = one_in & kMask;
    return log;
  }

  constexpr Kind kind() const { return static_cast<Kind>(kind_); }
  // Of so many accepted connections one has a record of its own.
  constexpr std::uint32_t one_in() const { return one_in_; }

  friend constexpr bool operator==(const Log& one, const Log& other) {
    return one.kind_ == other.kind_ && one.one_in_ == other.one_in_;
  }

 private:
  // Every rule has one: four bytes.
  static constexpr std::uint32_t kMask = (1U << 24U) - 1;
  static_assert(kMostSample <= kMask);
  std::uint32_t kind_ : 8;
  std::uint32_t one_in_ : 24;
};

}  // namespace rules

// Where workers put their records. The audit's ring implements it.
#pragma once

#include <cstddef>
#include <span>

#include "fwd/audit/record.h"

namespace fwd::engine {

class RecordSink {
 public:
  virtual ~RecordSink() = default;

  // Called by the thread of that worker alone, and never blocks or allocates. Takes them in order;
  // returns for how many there was room. The sink has counted the rest as lost.
  virtual std::size_t push(unsigned worker,
                           std::span<const audit::VerdictRecord> records) noexcept = 0;

  // False: a new connection whose record there was no room for is to be dropped.
  virtual bool unrecorded_may_pass() const noexcept { return true; }
};

}  // namespace fwd::engine

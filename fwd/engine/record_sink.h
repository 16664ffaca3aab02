// Where workers put their records. The audit's ring implements it.
#pragma once

#include "fwd/audit/record.h"

namespace fwd::engine {

class RecordSink {
 public:
  virtual ~RecordSink() = default;

  // Called by the thread of that worker alone, and never blocks or allocates. False when there was
  // no room: then the sink has counted the record as lost.
  virtual bool push(unsigned worker, const audit::VerdictRecord& record) noexcept = 0;

  // False: a new connection whose record there was no room for is to be dropped.
  virtual bool unrecorded_may_pass() const noexcept { return true; }
};

}  // namespace fwd::engine

// The start of a daemon's audit log: what the one before has left, in the ledger and at the end of
// its file. resume() is the way in.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "fwd/audit/event.h"
#include "fwd/audit/ledger.h"
#include "fwd/audit/log_file.h"
#include "fwd/system_error.h"

namespace fwd::audit {

struct Resumption {
  ctl::api::ChainEnd end;  // the next line follows this one
  std::vector<Gap> gaps;
  std::vector<HealthEvent> events;
};

// Cuts off a torn last line, begins a life in the ledger, and says what is to be told: what was
// decided and never written, exactly; a torn line; an end of the log that isn't the one that was
// written.
Result<Resumption> resume(Ledger& ledger, LogFile& file);

}  // namespace fwd::audit

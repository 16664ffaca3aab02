// Who changed what: each change through the API, and each that was refused, becomes an audit record
// here.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "fwd/control/context.h"
#include "fwd/control/refusals.h"

namespace fwd::control {

// Filled in by a handler.
struct Change {
  std::string what;  // what is wanted, in words
  bool made = false;

  void done(std::string words) {
    what = std::move(words);
    made = true;
  }
};

using ChangeHandler = Answer (*)(const Context&, const Request&, Change&);

// Runs the handler and records what it did. Where nothing was to be done there is no record.
Answer recorded(const Context& context, const Request& request, std::string_view action,
                ChangeHandler handler);

// Reads the policy anew, as SIGHUP asks for, and records what came of it. Who has sent the signal isn't known:
// the daemon itself stands in the record.
policy::Outcome<policy::Applied> reload_policy(const Context& context);

// Of peers that have no right to change anything. The context must outlive them.
std::unique_ptr<Refusals> recorded_refusals(const Context& context);

}  // namespace fwd::control

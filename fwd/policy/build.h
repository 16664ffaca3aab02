// From a policy's texts to what the workers judge by: parse, resolve, compile, and check that what
// the policy claims of itself is true. Changes nothing.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/api/error.h"
#include "fwd/engine/active_policy.h"
#include "rules/edit.h"
#include "rules/include.h"
#include "rules/resolver.h"
#include "rules/services.h"

namespace fwd::policy {

using Error = ctl::api::Error;

// What a commit is known by.
struct Stamp {
  std::uint64_t version = 0;
  kernel::Generation generation = 1;
  Mode mode = Mode::Enforce;
  std::size_t workers = 0;
};

struct Built {
  std::shared_ptr<const engine::ActivePolicy> active;
  rules::Outline outline;
  std::vector<rules::Diagnostic> warnings;
};

std::expected<Built, Error> build(std::shared_ptr<const rules::SourceTree> sources,
                                  const rules::Services& services, const Stamp& stamp);
std::expected<Built, Error> build(rules::SourceTree sources, const rules::Services& services,
                                  const Stamp& stamp);

// The same of one edit, without reading or compiling the other rules again, and without warnings.
std::expected<Built, Error> build(const engine::ActivePolicy& before, rules::PolicyEdit edit,
                                  const rules::Services& services, const Stamp& stamp);

// On one line, with its place where it has one.
std::string message_of(const rules::Diagnostic& diagnostic);

// The message is the first diagnostic's, with its place.
Error to_error(std::vector<rules::Diagnostic> diagnostics,
               ctl::api::ErrorCode code = ctl::api::ErrorCode::Syntax);

// Names the set that was probably meant.
Error no_such_set(const rules::Policy& policy, std::string_view name);

}  // namespace fwd::policy

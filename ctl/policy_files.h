// A policy from files, read with the caller's own rights, and looked at without a daemon.
#pragma once

#include <expected>
#include <string>

#include "ctl/api/error.h"
#include "ctl/api/policy.h"
#include "rules/include.h"
#include "rules/services.h"

namespace ctl {

// The file, or standard input for "-", and what its include statements find beside it (for standard
// input: in the working directory). The main file goes by its name without the folder.
std::expected<rules::SourceTree, api::Error> read_policy(const std::string& path);

// Empty where the file can't be read: then names of services aren't known.
rules::Services read_services(const std::string& path = "/etc/services");

// All that a daemon looks at before it uses a policy, short of the kernel.
std::expected<api::Checked, api::Error> check_policy(const rules::SourceTree& tree,
                                                     const rules::Services& services);

// An error if the text can't go through JSON unchanged, or is no text.
std::expected<void, api::Error> check_sendable(const rules::Source& source);

}  // namespace ctl

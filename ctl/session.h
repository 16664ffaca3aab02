// The SSH session that the user sits behind, which a change must not cut unasked. own_session() finds it.
#pragma once

#include <string>
#include <string_view>

namespace ctl {

// Its two ends, written as api::Connection writes them; empty where there is none.
struct Session {
  std::string source;
  std::string destination;

  bool operator==(const Session&) const = default;
};

// As sshd writes SSH_CONNECTION (sshd(8)): "203.0.113.7 51514 10.0.0.11 22".
Session parse_ssh_connection(std::string_view text);

// From the environment of this process or of the nearest ancestor that has it: sudo and su drop the variable.
Session own_session();

}  // namespace ctl

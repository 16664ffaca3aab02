// Community ID, version 1, seed 0: one name for a connection that Suricata, Zeek and others give it
// too. https://github.com/corelight/community-id-spec
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "rules/packet.h"

namespace fwd::audit {

class CommunityId {
 public:
  // "1:" and 28 characters of base64, the same for both directions; valid until the next call.
  std::string_view of(const rules::Packet& packet);

  // A number for the connection that of() was asked for last, of 48 bits: every JSON reader keeps
  // it exact.
  std::uint64_t number() const { return number_; }

 private:
  std::array<char, 30> text_{'1', ':'};
  std::uint64_t number_ = 0;
};

}  // namespace fwd::audit

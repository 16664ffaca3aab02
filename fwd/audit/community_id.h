// Community ID, version 1, seed 0: one name for a connection that Suricata, Zeek and others give it
// too. https://github.com/corelight/community-id-spec
#pragma once

#include <array>
#include <string_view>

#include <openssl/evp.h>

#include "fwd/owned.h"
#include "rules/packet.h"

namespace fwd::audit {

class CommunityId {
 public:
  CommunityId();

  // "1:" and 28 characters of base64, the same for both directions; valid until the next call.
  // Empty where libcrypto has no SHA-1 to give (FIPS mode): the specification allows for that.
  std::string_view of(const rules::Packet& packet);

 private:
  Owned<EVP_MD_CTX, EVP_MD_CTX_free> context_;
  Owned<EVP_MD, EVP_MD_free> sha1_;
  std::array<char, 31> text_{'1', ':'};  // libcrypto ends its base64 with a zero byte
};

}  // namespace fwd::audit

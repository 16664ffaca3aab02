// Statements that several chains use.
#pragma once

#include <string>
#include <utility>

#include "fwd/kernel/marks.h"
#include "rules/nft.h"
#include "rules/policy.h"

namespace fwd::kernel {

inline constexpr std::uint32_t kTcp = rules::protocol::kTcp;
inline constexpr std::uint32_t kIcmp = rules::protocol::kIcmp;
inline constexpr std::uint32_t kIcmpv6 = rules::protocol::kIcmpv6;

inline rules::nft::Verdict accept() {
  return {rules::nft::Verdict::Kind::Accept};
}
inline rules::nft::Verdict drop() {
  return {rules::nft::Verdict::Kind::Drop};
}
inline rules::nft::Verdict back() {
  return {rules::nft::Verdict::Kind::Return};
}
inline rules::nft::Verdict jump(std::string chain) {
  return {rules::nft::Verdict::Kind::Jump, std::move(chain)};
}
inline rules::nft::Verdict go(std::string chain) {
  return {rules::nft::Verdict::Kind::Goto, std::move(chain)};
}

inline rules::nft::Compare is_ipv4() {
  return {rules::nft::Field::NetworkProtocol, rules::nft::kIpv4};
}
inline rules::nft::Compare is_ipv6() {
  return {rules::nft::Field::NetworkProtocol, rules::nft::kIpv6};
}

// The register holds one bit (net/netfilter/nft_ct.c, nft_ct_get_eval): comparing needs no mask.
inline rules::nft::Compare state_is(std::uint32_t state) {
  return {rules::nft::Field::CtState, state};
}
inline rules::nft::Compare is_related() {
  return state_is(rules::nft::state::kRelated);
}

inline rules::nft::Compare tcp_reset_flag() {
  constexpr std::uint32_t kRst = 0x04;
  return {rules::nft::Field::TcpFlags, 0U, false, kRst};
}

inline rules::nft::Assign clear_priority() {
  return {rules::nft::Field::Priority, ~kPriorityMask, 0};
}

}  // namespace fwd::kernel

#include "fwd/kernel/marks.h"

#include <catch2/catch.hpp>

using namespace fwd::kernel;

TEST_CASE("generations wrap from 63 to 1 and are never 0") {
  CHECK(next(1) == 2);
  CHECK(next(62) == 63);
  CHECK(next(63) == 1);
}

TEST_CASE("every class survives the way through the priority") {
  for (const auto packet_class :
       {PacketClass::New, PacketClass::Again, PacketClass::AgainReply, PacketClass::Related,
        PacketClass::Untracked, PacketClass::Invalid}) {
    CHECK(decode_class(encode_class(packet_class) | 0xfff) == packet_class);
  }
}

TEST_CASE("a priority that chain A did not write has no class") {
  CHECK_FALSE(decode_class(0).has_value());
  CHECK_FALSE(decode_class(0xfff).has_value());
  CHECK_FALSE(decode_class(encode_verdict(VerdictKind::Approve, 1)).has_value());
  CHECK_FALSE(decode_class(7U << 28).has_value());
}

TEST_CASE("a verdict keeps the bits of the priority that belong to others") {
  const std::uint32_t verdict = encode_verdict(VerdictKind::Limit, 63, kLastLimitSlot);
  CHECK(verdict == 0xcffff000);
  CHECK(with_verdict(0xabcdeabc, verdict) == 0xcffffabc);
  CHECK((verdict & kKindMask) == 0xc0000000);
  CHECK((verdict & kGenerationMask) == 0x0fc00000);
  CHECK((verdict & kSlotMask) == kSlotMask);
}

TEST_CASE("a ct mark holds state and generation inside the mask, wherever the mask is") {
  CHECK(CtMark{}.encode(ConnectionState::Approved, 63) == 0x7f000000);
  CHECK(CtMark{}.encode(ConnectionState::Revoked, 1) == 0x81000000);
  CHECK(CtMark{0x00000ff0}.encode(ConnectionState::Revoked, 1) == 0x00000810);
  CHECK(CtMark{}.decode(0x81abcdef) == ConnectionVerdict{ConnectionState::Revoked, 1});
  CHECK(CtMark{}.decode(0x00ffffff) == ConnectionVerdict{});
  CHECK(CtMark{0x00000ff0}.state_mask() == 0x00000c00);
}

TEST_CASE("one bit of a ct mark says that the connection was approved once") {
  using enum ConnectionState;
  const ConnectionState state = GENERATE(None, Approved, Revoked, Lapsed);
  const CtMark mark{0x00000ff0};
  CHECK(((mark.encode(state, 63) & mark.approved_once_bit()) != 0) == approved_once(state));
  CHECK(approved_once(state) == (state == Approved || state == Lapsed));
}

#include "fwd/engine/sample.h"

#include <random>

namespace fwd::engine {
namespace {

// The finalizer of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators).
constexpr std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ value >> 30U) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27U) * 0x94d049bb133111eb;
  return value ^ value >> 31U;
}

std::uint64_t mixed_in(std::uint64_t hash, const rules::Address& address) {
  return mixed(mixed(hash ^ address.high) ^ address.low);
}

std::uint64_t hash_of(const rules::Packet& first, std::uint64_t seed) {
  const std::uint64_t ports =
      first.has_ports ? std::uint64_t{first.source_port} << 16U | first.destination_port : 0;
  const std::uint64_t hash = mixed_in(mixed_in(seed, first.source), first.destination);
  return mixed(hash ^ (std::uint64_t{first.protocol} << 32U | ports));
}

}  // namespace

bool in_sample(const rules::Packet& first, std::uint32_t one_in, std::uint64_t seed) noexcept {
  return (hash_of(first, seed) >> 32U) * one_in >> 32U == 0;
}

std::uint64_t sample_seed() {
  static const std::uint64_t seed = [] {
    std::random_device chance;
    return std::uint64_t{chance()} << 32U | chance();
  }();
  return seed;
}

}  // namespace fwd::engine

#include "rules/sha256.h"

#include <array>
#include <cstdint>

namespace rules {

void Sha256::update(std::string_view data) {
  sha256_update(&context_, data.size(), reinterpret_cast<const std::uint8_t*>(data.data()));
}

std::string Sha256::take_hex() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<std::uint8_t, SHA256_DIGEST_SIZE> digest{};
  sha256_digest(&context_, digest.size(), digest.data());
  std::string hex;
  hex.reserve(2 * digest.size());
  for (const std::uint8_t byte : digest) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

std::string sha256_hex(std::string_view data) {
  Sha256 hash;
  hash.update(data);
  return hash.take_hex();
}

}  // namespace rules

#pragma once

#include <string>
#include <string_view>

#include <nettle/sha2.h>

namespace rules {

// SHA-256 (FIPS 180-4) of what comes in parts.
class Sha256 {
 public:
  Sha256() { sha256_init(&context_); }
  void update(std::string_view data);
  // 64 lower case hex digits of all so far; it begins anew.
  std::string take_hex();

 private:
  sha256_ctx context_;
};

std::string sha256_hex(std::string_view data);

}  // namespace rules

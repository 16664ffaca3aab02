// DPDK's librte_acl on five-tuples, to be measured against. Where it wasn't installed when this was built, make() says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "tests/support/five_tuple.h"

namespace bench {

class DpdkAcl {
 public:
  // Null where there is no librte_acl, or it can't be used; a line on stderr says why.
  static std::unique_ptr<DpdkAcl> make(const tests::FiveTupleSet& set);
  virtual ~DpdkAcl() = default;

  // "avx2" or "avx512": false where this processor or library can't.
  virtual bool choose(std::string_view algorithm) = 0;
  // Headers `begin` to `end` of the set, 32 a call; their sum keeps the compiler honest.
  virtual std::size_t classify(std::size_t begin, std::size_t end) const = 0;
  virtual double build_seconds() const = 0;
  // Index of the rule that header `at` gets, or the number of rules for none.
  virtual std::size_t match(std::size_t at) const = 0;
};

}  // namespace bench

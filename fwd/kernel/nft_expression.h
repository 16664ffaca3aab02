// The values of rules/nft.h as libnftnl expressions: registers, widths and byte order are known
// here and nowhere else.
#pragma once

#include <cstdint>

#include "fwd/kernel/table.h"
#include "rules/nft.h"

struct nftnl_rule;

namespace fwd::kernel {

struct KeyType {
  std::uint32_t datatype;  // as nft numbers them (nftables, include/datatype.h), so that `nft list`
                           // can show the set
  std::uint32_t length;    // bytes
};
KeyType key_type(rules::nft::Field field);

void add_statement(nftnl_rule* rule, const rules::nft::Statement& statement, QueueExpression queue);

}  // namespace fwd::kernel

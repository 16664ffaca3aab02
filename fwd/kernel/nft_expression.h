// The values of rules/nft.h as libnftnl expressions: registers, widths and byte order are known
// here and nowhere else.
#pragma once

#include <cstdint>
#include <vector>

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
KeyType key_type(const std::vector<rules::nft::Field>& fields);  // concatenated

// As the kernel's registers hold them: each part of a concatenation in whole units of four bytes.
std::vector<std::uint8_t> key_bytes(const std::vector<rules::nft::Field>& fields,
                                    const std::vector<rules::nft::Value>& values);

void add_statement(nftnl_rule* rule, const rules::nft::Statement& statement, QueueExpression queue);

}  // namespace fwd::kernel

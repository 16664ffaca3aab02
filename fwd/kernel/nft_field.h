// Where the kernel has a field, and what its values look like in the kernel's registers and sets.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rules/nft.h"

namespace fwd::kernel {

using Bytes = std::vector<std::uint8_t>;

struct Load {
  enum class From : std::uint8_t { Meta, Ct, Network, Transport, Extension } from;
  std::uint32_t key;     // a meta or ct key, or the offset into the header
  std::uint32_t length;  // bytes
  bool network_order = false;
  std::uint8_t header = 0;  // which extension header
};

Load load_of(rules::nft::Field field);
std::uint32_t words(const Load& load);  // of four bytes

Bytes big_endian(std::uint64_t value, unsigned bytes);
// 4 or 16 bytes in network byte order; how many those are.
std::size_t write_address(const rules::Address& address, std::uint8_t* out);
// load.length bytes.
void write_value(const rules::nft::Value& value, const Load& load, std::span<std::uint8_t> out);
Bytes bytes_of(const rules::nft::Value& value, const Load& load);

struct KeyType {
  std::uint32_t datatype;  // as nft numbers them (nftables, include/datatype.h), so that `nft list`
                           // can show the set
  std::uint32_t length;    // bytes
  bool host_order = false;
};
KeyType key_type(rules::nft::Field field);
KeyType key_type(const std::vector<rules::nft::Field>& fields);  // concatenated

// As the kernel's registers hold them: each part of a concatenation in whole units of four bytes.
Bytes key_bytes(const std::vector<rules::nft::Field>& fields,
                const std::vector<rules::nft::Value>& values);

}  // namespace fwd::kernel

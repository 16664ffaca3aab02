// What the kernel has of a table.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fwd/kernel/netlink.h"
#include "fwd/kernel/nft_elements.h"

namespace fwd::kernel {

struct FoundChain {
  std::optional<std::uint32_t> hook;  // of a base chain
  std::int32_t priority = 0;
  std::uint32_t policy = 0;  // NF_ACCEPT, NF_DROP
};

struct FoundRule {
  std::uint64_t handle;     // the kernel's name for it within the table
  std::string expressions;  // in libnftnl's notation
  std::string comment;
};

struct FoundTable {
  bool exists = false;
  std::string comment;
  std::map<std::string, FoundChain> chains;
  std::vector<std::string> sets;
  std::map<std::string, std::uint64_t> counters;  // packets
};

struct TableName {
  std::uint32_t family;  // NFPROTO_*
  std::string name;
};
Result<std::vector<TableName>> list_tables(NetlinkSocket& socket);  // of all families

// Its comment; nothing where there is no such table.
Result<std::optional<std::string>> find_table(NetlinkSocket& socket, const std::string& table);

// Of any table: a chain that stands at a hook.
struct BaseChain {
  std::uint32_t family = 0;  // NFPROTO_*
  std::string table;
  std::string type;  // filter, nat, route
  std::uint32_t hook = 0;
  std::uint32_t policy = 0;  // NF_ACCEPT, NF_DROP
  std::uint32_t rules = 0;
};
Result<std::vector<BaseChain>> read_base_chains(NetlinkSocket& socket);

// A listing that a commit went by is taken again, unless this says that what was listed can't have changed: a long
// one would be disturbed by each lease.
using Undisturbed = std::function<bool()>;
Result<std::map<std::string, FoundChain>> read_chains(NetlinkSocket& socket,
                                                      const std::string& table,
                                                      const Undisturbed& undisturbed = {});
Result<FoundTable> read_table(NetlinkSocket& socket, const std::string& table,
                              const Undisturbed& undisturbed = {});
Result<std::map<std::string, std::uint64_t>> list_counters(NetlinkSocket& socket,
                                                           const std::string& table,
                                                           const Undisturbed& undisturbed = {});

// Packets of these counters alone, in their order. With Reset each is set to 0 as it is read: no packet
// is missed or read twice.
enum class CounterAccess : std::uint8_t { Read, Reset };
Result<std::vector<std::uint64_t>> read_counters(NetlinkSocket& socket, const std::string& table,
                                                 std::span<const char* const> names,
                                                 CounterAccess access);
// Those that are there, in a time that grows with the names alone: a listing of a hundred thousand takes the kernel
// seconds.
Result<std::map<std::string, std::uint64_t>> find_counters(NetlinkSocket& socket,
                                                           const std::string& table,
                                                           std::span<const std::string> names);

// What hash_of() gives for each, sorted, each once.
Result<std::vector<std::size_t>> read_elements(NetlinkSocket& socket, const std::string& table,
                                               const std::string& set);
// Those of `wanted` that are there, by key alone. In a set of ranges another element may come in their place.
Result<std::vector<KernelElement>> find_elements(NetlinkSocket& socket, const std::string& table,
                                                 const std::string& set,
                                                 std::span<const KernelElement> wanted);

// Every transaction raises it by one, whoever's it is.
Result<std::uint32_t> read_generation_id(NetlinkSocket& socket);

// In the kernel's order.
Result<std::vector<FoundRule>> read_rules(NetlinkSocket& socket, const std::string& table,
                                          const std::string& chain);
}  // namespace fwd::kernel

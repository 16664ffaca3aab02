// One nf_tables transaction: messages that the kernel takes together or not at all. Encodes the
// values of rules/nft.h through libnftnl.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fwd/kernel/netlink.h"
#include "fwd/kernel/table.h"
#include "rules/nft.h"

struct nftnl_rule;

namespace fwd::kernel {

struct RuleFree {
  void operator()(nftnl_rule* rule) const;
};
using RulePtr = std::unique_ptr<nftnl_rule, RuleFree>;

// A rule as libnftnl holds it, ready to be sent or compared with what the kernel gave back.
RulePtr encode_rule(const std::string& table, const std::string& chain,
                    const rules::nft::Rule& rule, QueueExpression queue);

// Its expressions in libnftnl's notation: equal text, equal meaning.
std::string expressions(const nftnl_rule* rule);

class NftBatch {
 public:
  explicit NftBatch(NetlinkSocket& socket);

  void add_table(const std::string& table, const std::string& comment);
  void delete_table(const std::string& table);
  void add_counter(const std::string& table, const std::string& counter);
  void delete_counter(const std::string& table, const std::string& counter);
  void add_set(const std::string& table, const rules::nft::Set& set);
  void delete_set(const std::string& table, const std::string& set);
  void flush_set(const std::string& table, const std::string& set);
  void add_element(const std::string& table, const std::string& set, std::span<const std::byte> key,
                   std::chrono::milliseconds timeout);
  void add_chain(const std::string& table, const rules::nft::Chain& chain);
  void flush_chain(const std::string& table, const std::string& chain);
  void delete_chain(const std::string& table, const std::string& chain);
  void add_rule(const std::string& table, const std::string& chain, const rules::nft::Rule& rule,
                QueueExpression queue);

  // In one sendmsg. An error says which message the kernel refused; then nothing was done.
  Result<void> commit(const char* what);

 private:
  // Lends a scratch buffer for one message; `finish` appends what was built there.
  nlmsghdr* begin(std::uint16_t type, std::uint16_t flags, std::string description);
  void finish(const nlmsghdr* message);

  NetlinkSocket& socket_;
  std::vector<std::byte> scratch_;
  std::vector<std::byte> messages_;
  std::map<std::uint32_t, std::string> descriptions_;  // by sequence number
  std::size_t last_offset_ = 0;                        // of the newest message
};

}  // namespace fwd::kernel

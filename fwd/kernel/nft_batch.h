// One nf_tables transaction: messages that the kernel takes together or not at all. Encodes the
// values of rules/nft.h through libnftnl.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fwd/kernel/netlink.h"
#include "fwd/kernel/nft_elements.h"
#include "fwd/kernel/table.h"
#include "rules/kernel_set.h"
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
  void add_set(const std::string& table, const rules::nft::FixedSet& set);  // without its members
  void add_map(const std::string& table, const rules::nft::Map& map);       // likewise
  void delete_set(const std::string& table, const std::string& set);
  void flush_set(const std::string& table, const std::string& set);
  void add_element(const std::string& table, const std::string& set, std::span<const std::byte> key,
                   std::chrono::milliseconds timeout);
  // In as few messages as hold them.
  void add_elements(const std::string& table, const std::string& set,
                    std::span<const KernelElement> elements);
  void add_members(const std::string& table, const rules::MemberSet& set);
  // Those among so many of its list's addresses from this one on.
  void add_members_of(const std::string& table, const rules::MemberSet& set, std::size_t first,
                      std::size_t count);
  void delete_elements(const std::string& table, const std::string& set,
                       std::span<const KernelElement> elements);
  void add_chain(const std::string& table, const rules::nft::Chain& chain);
  void flush_chain(const std::string& table, const std::string& chain);
  void delete_chain(const std::string& table, const std::string& chain);
  void add_rule(const std::string& table, const std::string& chain, const rules::nft::Rule& rule,
                QueueExpression queue);
  // The one with this handle, which the kernel gave it, in its place.
  void replace_rule(const std::string& table, const std::string& chain, std::uint64_t handle,
                    const rules::nft::Rule& rule, QueueExpression queue);

  std::size_t size() const { return described_.size(); }  // messages

  // For another transaction; the memory is kept.
  void clear();

  // In one sendmsg. An error says which message the kernel refused; then nothing was done. With a
  // generation id the kernel refuses all, with ERESTART, if anybody has changed a table since.
  Result<void> commit(const char* what, std::optional<std::uint32_t> generation_id = std::nullopt);

 private:
  struct Described {
    const char* what;
    std::size_t offset;  // of the message
  };

  // Lends a scratch buffer for one message; `finish` appends what was built there.
  nlmsghdr* begin(std::uint16_t type, std::uint16_t flags, const char* what);
  void finish(const nlmsghdr* message);
  void make_room(const rules::MemberSet& set, std::size_t members);
  void put_members(const std::string& table, const rules::MemberSet& set, std::size_t first,
                   std::size_t count);
  void put_in_pieces(std::uint16_t type, std::uint16_t flags, const char* what,
                     const std::string& table, const std::string& set,
                     std::span<const KernelElement> elements);
  std::string describe(const Described& described) const;

  NetlinkSocket& socket_;
  std::vector<std::byte> scratch_;
  std::vector<std::byte> messages_;
  std::vector<Described> described_;  // of each message inside the batch
  std::uint32_t first_sequence_ = 0;
  std::size_t last_offset_ = 0;  // of the newest message
};

}  // namespace fwd::kernel

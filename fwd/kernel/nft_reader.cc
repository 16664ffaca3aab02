#include "fwd/kernel/nft_reader.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <string_view>

#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/gen.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "fwd/kernel/nft_batch.h"
#include "fwd/owned.h"

namespace fwd::kernel {
namespace {

std::string text(const char* string) {
  return string == nullptr ? std::string() : std::string(string);
}

// Userdata is a list of type (1 byte), length (1 byte), value; a comment is a zero-terminated
// string of type 0.
std::string comment_of(const void* data, std::uint32_t length) {
  const auto* bytes = static_cast<const char*>(data);
  for (std::uint32_t at = 0; bytes != nullptr && at + 2 <= length;) {
    const auto type = static_cast<unsigned char>(bytes[at]);
    const auto size = static_cast<unsigned char>(bytes[at + 1]);
    if (at + 2 + size > length) break;
    const std::string_view value(bytes + at + 2, size);
    if (type == 0) return std::string(value.substr(0, value.find('\0')));
    at += 2U + size;
  }
  return {};
}

// One dump; `each` sees its messages.
Result<void> dump(NetlinkSocket& socket, std::uint16_t type, const char* what,
                  const std::function<void(nlmsghdr*)>& fill,
                  const std::function<void(const nlmsghdr&)>& each,
                  const std::function<void()>& restart, std::uint16_t family = NFPROTO_INET,
                  const Undisturbed& undisturbed = {}) {
  constexpr int kAttempts = 20;
  Result<void> done;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    std::array<char, 4096> buffer{};
    restart();
    nlmsghdr* message =
        nftnl_nlmsg_build_hdr(buffer.data(), type, family, NLM_F_DUMP, socket.next_sequence());
    fill(message);
    done = socket.request(std::as_bytes(std::span(buffer.data(), message->nlmsg_len)),
                          message->nlmsg_seq, what, each);
    if (done || done.error().code != EINTR) return done;
    if (undisturbed && undisturbed()) return {};
  }
  return done;
}

}  // namespace

Result<std::vector<TableName>> list_tables(NetlinkSocket& socket) {
  std::vector<TableName> tables;
  const auto each = [&](const nlmsghdr& message) {
    const Owned<nftnl_table, nftnl_table_free> one(nftnl_table_alloc());
    if (nftnl_table_nlmsg_parse(&message, one.get()) < 0) return;
    tables.push_back({nftnl_table_get_u32(one.get(), NFTNL_TABLE_FAMILY),
                      text(nftnl_table_get_str(one.get(), NFTNL_TABLE_NAME))});
  };
  auto done = dump(
      socket, NFT_MSG_GETTABLE, "list tables", [](nlmsghdr*) {}, each, [&] { tables.clear(); },
      NFPROTO_UNSPEC);
  if (!done) return std::unexpected(done.error());
  return tables;
}

Result<std::optional<std::string>> find_table(NetlinkSocket& socket, const std::string& table) {
  std::optional<std::string> comment;
  const auto each = [&](const nlmsghdr& message) {
    const Owned<nftnl_table, nftnl_table_free> one(nftnl_table_alloc());
    if (nftnl_table_nlmsg_parse(&message, one.get()) < 0) return;
    if (text(nftnl_table_get_str(one.get(), NFTNL_TABLE_NAME)) != table) return;
    std::uint32_t length = 0;
    const void* data = nftnl_table_get_data(one.get(), NFTNL_TABLE_USERDATA, &length);
    comment = comment_of(data, length);
  };
  auto done = dump(
      socket, NFT_MSG_GETTABLE, "list tables", [](nlmsghdr*) {}, each, [&] { comment.reset(); });
  if (!done) return std::unexpected(done.error());
  return comment;
}

Result<std::map<std::string, FoundChain>> read_chains(NetlinkSocket& socket,
                                                      const std::string& table,
                                                      const Undisturbed& undisturbed) {
  std::map<std::string, FoundChain> chains;
  const auto each = [&](const nlmsghdr& message) {
    const Owned<nftnl_chain, nftnl_chain_free> one(nftnl_chain_alloc());
    if (nftnl_chain_nlmsg_parse(&message, one.get()) < 0) return;
    if (text(nftnl_chain_get_str(one.get(), NFTNL_CHAIN_TABLE)) != table) return;
    FoundChain& chain = chains[text(nftnl_chain_get_str(one.get(), NFTNL_CHAIN_NAME))];
    if (!nftnl_chain_is_set(one.get(), NFTNL_CHAIN_HOOKNUM)) return;
    chain.hook = nftnl_chain_get_u32(one.get(), NFTNL_CHAIN_HOOKNUM);
    chain.priority = nftnl_chain_get_s32(one.get(), NFTNL_CHAIN_PRIO);
    chain.policy = nftnl_chain_get_u32(one.get(), NFTNL_CHAIN_POLICY);
  };
  auto done = dump(
      socket, NFT_MSG_GETCHAIN, "list chains", [](nlmsghdr*) {}, each, [&] { chains.clear(); },
      NFPROTO_INET, undisturbed);
  if (!done) return std::unexpected(done.error());
  return chains;
}

namespace {

Result<void> read_sets(NetlinkSocket& socket, const std::string& table, FoundTable& found,
                       const Undisturbed& undisturbed) {
  const auto fill = [&](nlmsghdr* message) {
    const Owned<nftnl_set, nftnl_set_free> filter(nftnl_set_alloc());
    nftnl_set_set_str(filter.get(), NFTNL_SET_TABLE, table.c_str());
    nftnl_set_nlmsg_build_payload(message, filter.get());
  };
  const auto each = [&](const nlmsghdr& message) {
    const Owned<nftnl_set, nftnl_set_free> one(nftnl_set_alloc());
    if (nftnl_set_nlmsg_parse(&message, one.get()) < 0) return;
    if (text(nftnl_set_get_str(one.get(), NFTNL_SET_TABLE)) != table) return;
    found.sets.push_back(text(nftnl_set_get_str(one.get(), NFTNL_SET_NAME)));
  };
  return dump(
      socket, NFT_MSG_GETSET, "list sets", fill, each, [&] { found.sets.clear(); }, NFPROTO_INET,
      undisturbed);
}

}  // namespace

Result<std::map<std::string, std::uint64_t>> list_counters(NetlinkSocket& socket,
                                                           const std::string& table,
                                                           const Undisturbed& undisturbed) {
  std::map<std::string, std::uint64_t> counters;
  const auto each = [&](const nlmsghdr& message) {
    const Owned<nftnl_obj, nftnl_obj_free> one(nftnl_obj_alloc());
    if (nftnl_obj_nlmsg_parse(&message, one.get()) < 0) return;
    if (text(nftnl_obj_get_str(one.get(), NFTNL_OBJ_TABLE)) != table) return;
    if (nftnl_obj_get_u32(one.get(), NFTNL_OBJ_TYPE) != NFT_OBJECT_COUNTER) return;
    counters[text(nftnl_obj_get_str(one.get(), NFTNL_OBJ_NAME))] =
        nftnl_obj_get_u64(one.get(), NFTNL_OBJ_CTR_PKTS);
  };
  auto done = dump(
      socket, NFT_MSG_GETOBJ, "list counters", [](nlmsghdr*) {}, each, [&] { counters.clear(); },
      NFPROTO_INET, undisturbed);
  if (!done) return std::unexpected(done.error());
  return counters;
}

Result<std::vector<BaseChain>> read_base_chains(NetlinkSocket& socket) {
  std::vector<BaseChain> found;
  const auto each = [&](const nlmsghdr& message) {
    const Owned<nftnl_chain, nftnl_chain_free> one(nftnl_chain_alloc());
    if (nftnl_chain_nlmsg_parse(&message, one.get()) < 0) return;
    if (!nftnl_chain_is_set(one.get(), NFTNL_CHAIN_HOOKNUM)) return;
    found.push_back({.family = nftnl_chain_get_u32(one.get(), NFTNL_CHAIN_FAMILY),
                     .table = text(nftnl_chain_get_str(one.get(), NFTNL_CHAIN_TABLE)),
                     .type = text(nftnl_chain_get_str(one.get(), NFTNL_CHAIN_TYPE)),
                     .hook = nftnl_chain_get_u32(one.get(), NFTNL_CHAIN_HOOKNUM),
                     .policy = nftnl_chain_get_u32(one.get(), NFTNL_CHAIN_POLICY),
                     // Nothing can jump to a base chain, so all its uses are rules in it.
                     .rules = nftnl_chain_get_u32(one.get(), NFTNL_CHAIN_USE)});
  };
  auto done = dump(
      socket, NFT_MSG_GETCHAIN, "list chains", [](nlmsghdr*) {}, each, [&] { found.clear(); },
      NFPROTO_UNSPEC);
  if (!done) return std::unexpected(done.error());
  return found;
}

Result<FoundTable> read_table(NetlinkSocket& socket, const std::string& table,
                              const Undisturbed& undisturbed) {
  FoundTable found;
  auto comment = find_table(socket, table);
  if (!comment) return std::unexpected(comment.error());
  if (!*comment) return found;
  found.exists = true;
  found.comment = std::move(**comment);
  auto chains = read_chains(socket, table, undisturbed);
  if (!chains) return std::unexpected(chains.error());
  found.chains = std::move(*chains);
  if (auto done = read_sets(socket, table, found, undisturbed); !done)
    return std::unexpected(done.error());
  auto counters = list_counters(socket, table, undisturbed);
  if (!counters) return std::unexpected(counters.error());
  found.counters = std::move(*counters);
  return found;
}

Result<std::vector<FoundRule>> read_rules(NetlinkSocket& socket, const std::string& table,
                                          const std::string& chain) {
  std::vector<FoundRule> found;
  const auto fill = [&](nlmsghdr* message) {
    const RulePtr filter(nftnl_rule_alloc());
    nftnl_rule_set_str(filter.get(), NFTNL_RULE_TABLE, table.c_str());
    nftnl_rule_set_str(filter.get(), NFTNL_RULE_CHAIN, chain.c_str());
    nftnl_rule_nlmsg_build_payload(message, filter.get());
  };
  const auto each = [&](const nlmsghdr& message) {
    const RulePtr one(nftnl_rule_alloc());
    if (nftnl_rule_nlmsg_parse(&message, one.get()) < 0) return;
    if (text(nftnl_rule_get_str(one.get(), NFTNL_RULE_TABLE)) != table) return;
    if (text(nftnl_rule_get_str(one.get(), NFTNL_RULE_CHAIN)) != chain) return;
    std::uint32_t length = 0;
    const void* data = nftnl_rule_get_data(one.get(), NFTNL_RULE_USERDATA, &length);
    found.push_back({nftnl_rule_get_u64(one.get(), NFTNL_RULE_HANDLE), expressions(one.get()),
                     comment_of(data, length)});
  };
  auto done = dump(socket, NFT_MSG_GETRULE, "list rules", fill, each, [&] { found.clear(); });
  if (!done) return std::unexpected(done.error());
  return found;
}

Result<std::vector<std::size_t>> read_elements(NetlinkSocket& socket, const std::string& table,
                                               const std::string& set) {
  std::vector<std::size_t> found;
  const auto fill = [&](nlmsghdr* message) {
    const Owned<nftnl_set, nftnl_set_free> filter(nftnl_set_alloc());
    nftnl_set_set_str(filter.get(), NFTNL_SET_TABLE, table.c_str());
    nftnl_set_set_str(filter.get(), NFTNL_SET_NAME, set.c_str());
    nftnl_set_elems_nlmsg_build_payload(message, filter.get());
  };
  const auto each = [&](const nlmsghdr& message) {
    parse_elements(message, [&](const KernelElement& one) { found.push_back(hash_of(one)); });
  };
  auto done = dump(socket, NFT_MSG_GETSETELEM, "list elements", fill, each, [&] { found.clear(); });
  if (!done) return std::unexpected(done.error());
  std::ranges::sort(found);
  const auto repeated = std::ranges::unique(found);
  found.erase(repeated.begin(), repeated.end());
  return found;
}

// One request for each element, because the kernel leaves off where it finds one missing; as many at once as
// have room for their answers in a socket's buffer.
Result<std::vector<KernelElement>> find_elements(NetlinkSocket& socket, const std::string& table,
                                                 const std::string& set,
                                                 std::span<const KernelElement> wanted) {
  constexpr std::size_t kAtOnce = 32;
  std::vector<KernelElement> found;
  const auto each = [&](const nlmsghdr& message) {
    parse_elements(message, [&](KernelElement one) { found.push_back(std::move(one)); });
  };
  std::vector<char> scratch(kElementMessageRoom);
  while (!wanted.empty()) {
    const auto some = wanted.first(std::min(kAtOnce, wanted.size()));
    wanted = wanted.subspan(some.size());
    std::vector<char> requests;
    std::uint32_t sequence = 0;
    for (const KernelElement& one : some) {
      const KernelElement key{one.key, one.end};
      sequence = socket.next_sequence();
      const std::uint16_t flags = &one == &some.back() ? NLM_F_ACK : 0;
      nlmsghdr* message =
          nftnl_nlmsg_build_hdr(scratch.data(), NFT_MSG_GETSETELEM, NFPROTO_INET, flags, sequence);
      put_elements(message, table, set, {&key, 1});
      requests.insert(requests.end(), scratch.begin(),
                      scratch.begin() + NLMSG_ALIGN(message->nlmsg_len));
    }
    auto done = socket.request(std::as_bytes(std::span(requests)), sequence, "look for elements",
                               each, ENOENT);
    if (!done) return std::unexpected(done.error());
  }
  return found;
}

Result<std::uint32_t> read_generation_id(NetlinkSocket& socket) {
  std::array<char, 256> buffer{};
  nlmsghdr* message = nftnl_nlmsg_build_hdr(buffer.data(), NFT_MSG_GETGEN, NFPROTO_INET, NLM_F_ACK,
                                            socket.next_sequence());
  std::uint32_t id = 0;
  const auto each = [&](const nlmsghdr& answer) {
    const Owned<nftnl_gen, nftnl_gen_free> one(nftnl_gen_alloc());
    if (nftnl_gen_nlmsg_parse(&answer, one.get()) == 0)
      id = nftnl_gen_get_u32(one.get(), NFTNL_GEN_ID);
  };
  auto done = socket.request(std::as_bytes(std::span(buffer.data(), message->nlmsg_len)),
                             message->nlmsg_seq, "read the generation of nf_tables", each);
  if (!done) return std::unexpected(done.error());
  return id;
}

}  // namespace fwd::kernel

#include "fwd/kernel/nft_batch.h"

#include <utility>

#include <arpa/inet.h>
#include <fmt/core.h>
#include <libmnl/libmnl.h>
#include <libnftnl/batch.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "fwd/kernel/nft_field.h"
#include "fwd/owned.h"

namespace fwd::kernel {
namespace {

constexpr std::uint8_t kTableComment = 0;  // NFTNL_UDATA_TABLE_COMMENT

using TablePtr = Owned<nftnl_table, nftnl_table_free>;
using ChainPtr = Owned<nftnl_chain, nftnl_chain_free>;
using SetPtr = Owned<nftnl_set, nftnl_set_free>;
using ObjectPtr = Owned<nftnl_obj, nftnl_obj_free>;

TablePtr make_table(const std::string& name) {
  TablePtr table(nftnl_table_alloc());
  nftnl_table_set_str(table.get(), NFTNL_TABLE_NAME, name.c_str());
  nftnl_table_set_u32(table.get(), NFTNL_TABLE_FAMILY, NFPROTO_INET);
  return table;
}

ChainPtr make_chain(const std::string& table, const std::string& name) {
  ChainPtr chain(nftnl_chain_alloc());
  nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TABLE, table.c_str());
  nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_NAME, name.c_str());
  return chain;
}

SetPtr make_set(const std::string& table, const std::string& name) {
  SetPtr set(nftnl_set_alloc());
  nftnl_set_set_str(set.get(), NFTNL_SET_TABLE, table.c_str());
  nftnl_set_set_str(set.get(), NFTNL_SET_NAME, name.c_str());
  return set;
}

// For nft, which shows numbers of a set in the network's byte order otherwise. Of the keys or the data, not of both.
void tell_host_order(nftnl_set* set, nftnl_udata_set_types of) {
  constexpr std::uint32_t kHostEndian = 1;  // nftables, include/datatype.h, enum byteorder
  nftnl_udata_buf* userdata = nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN);
  nftnl_udata_put_u32(userdata, static_cast<std::uint8_t>(of), kHostEndian);
  nftnl_set_set_data(set, NFTNL_SET_USERDATA, nftnl_udata_buf_data(userdata),
                     nftnl_udata_buf_len(userdata));
  nftnl_udata_buf_free(userdata);
}

SetPtr make_set(const std::string& table, const std::string& name, KeyType key) {
  SetPtr set = make_set(table, name);
  nftnl_set_set_u32(set.get(), NFTNL_SET_FAMILY, NFPROTO_INET);
  nftnl_set_set_u32(set.get(), NFTNL_SET_KEY_TYPE, key.datatype);
  nftnl_set_set_u32(set.get(), NFTNL_SET_KEY_LEN, key.length);
  nftnl_set_set_u32(set.get(), NFTNL_SET_ID, 1);
  if (key.host_order) tell_host_order(set.get(), NFTNL_UDATA_SET_KEYBYTEORDER);
  return set;
}

ObjectPtr make_counter(const std::string& table, const std::string& name) {
  ObjectPtr counter(nftnl_obj_alloc());
  nftnl_obj_set_str(counter.get(), NFTNL_OBJ_TABLE, table.c_str());
  nftnl_obj_set_str(counter.get(), NFTNL_OBJ_NAME, name.c_str());
  nftnl_obj_set_u32(counter.get(), NFTNL_OBJ_TYPE, NFT_OBJECT_COUNTER);
  return counter;
}

std::uint32_t hook_number(rules::nft::BaseChain::Hook hook) {
  switch (hook) {
    case rules::nft::BaseChain::Hook::Input:
      return NF_INET_LOCAL_IN;
    case rules::nft::BaseChain::Hook::Output:
      return NF_INET_LOCAL_OUT;
  }
  __builtin_unreachable();
}

std::uint32_t set_flags(const rules::nft::Set& set) {
  std::uint32_t flags = NFT_SET_TIMEOUT;
  if (set.dynamic) flags |= NFT_SET_EVAL;
  return flags;
}

}  // namespace

void RuleFree::operator()(nftnl_rule* rule) const {
  nftnl_rule_free(rule);
}

NftBatch::NftBatch(NetlinkSocket& socket) : socket_(socket), scratch_(kElementMessageRoom) {}

nlmsghdr* NftBatch::begin(std::uint16_t type, std::uint16_t flags, const char* what) {
  const std::uint32_t sequence = socket_.next_sequence();
  if (described_.empty()) first_sequence_ = sequence;
  described_.push_back({what, messages_.size()});
  return nftnl_nlmsg_build_hdr(reinterpret_cast<char*>(scratch_.data()), type, NFPROTO_INET, flags,
                               sequence);
}

// What it was, the name that the message has, and of a rule what it says.
std::string NftBatch::describe(const Described& described) const {
  const auto* message = reinterpret_cast<const nlmsghdr*>(messages_.data() + described.offset);
  const int type = NFNL_MSG_TYPE(message->nlmsg_type);
  std::uint16_t name = NFTA_SET_NAME;  // the second attribute of most
  if (type == NFT_MSG_NEWTABLE || type == NFT_MSG_DELTABLE) name = NFTA_TABLE_NAME;
  if (type == NFT_MSG_NEWCHAIN || type == NFT_MSG_DELCHAIN) name = NFTA_CHAIN_NAME;
  std::string text = described.what;
  const auto* end = reinterpret_cast<const char*>(message) + message->nlmsg_len;
  const auto* attribute =
      static_cast<const nlattr*>(mnl_nlmsg_get_payload_offset(message, sizeof(nfgenmsg)));
  while (mnl_attr_ok(attribute, static_cast<int>(end - reinterpret_cast<const char*>(attribute)))) {
    if (mnl_attr_get_type(attribute) == name)
      text += fmt::format(" {}", mnl_attr_get_str(attribute));
    attribute = mnl_attr_next(attribute);
  }
  if (type != NFT_MSG_NEWRULE) return text;
  const RulePtr rule(nftnl_rule_alloc());
  if (nftnl_rule_nlmsg_parse(message, rule.get()) == 0) text += ": " + expressions(rule.get());
  return text;
}

void NftBatch::finish(const nlmsghdr* message) {
  last_offset_ = messages_.size();
  const auto bytes = std::as_bytes(
      std::span(reinterpret_cast<const char*>(message), NLMSG_ALIGN(message->nlmsg_len)));
  messages_.insert(messages_.end(), bytes.begin(), bytes.end());
}

void NftBatch::add_table(const std::string& name, const std::string& comment) {
  TablePtr table = make_table(name);
  nftnl_udata_buf* userdata = nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN);
  nftnl_udata_put_strz(userdata, kTableComment, comment.c_str());
  nftnl_table_set_data(table.get(), NFTNL_TABLE_USERDATA, nftnl_udata_buf_data(userdata),
                       nftnl_udata_buf_len(userdata));
  nftnl_udata_buf_free(userdata);
  nlmsghdr* message = begin(NFT_MSG_NEWTABLE, NLM_F_CREATE, "table");
  nftnl_table_nlmsg_build_payload(message, table.get());
  finish(message);
}

void NftBatch::delete_table(const std::string& name) {
  nlmsghdr* message = begin(NFT_MSG_DELTABLE, 0, "delete table");
  nftnl_table_nlmsg_build_payload(message, make_table(name).get());
  finish(message);
}

void NftBatch::add_counter(const std::string& table, const std::string& counter) {
  nlmsghdr* message = begin(NFT_MSG_NEWOBJ, NLM_F_CREATE, "counter");
  nftnl_obj_nlmsg_build_payload(message, make_counter(table, counter).get());
  finish(message);
}

void NftBatch::delete_counter(const std::string& table, const std::string& counter) {
  nlmsghdr* message = begin(NFT_MSG_DELOBJ, 0, "delete counter");
  nftnl_obj_nlmsg_build_payload(message, make_counter(table, counter).get());
  finish(message);
}

void NftBatch::add_set(const std::string& table, const rules::nft::Set& value) {
  SetPtr set = make_set(table, value.name, key_type(value.key));
  nftnl_set_set_u32(set.get(), NFTNL_SET_FLAGS, set_flags(value));
  nftnl_set_set_u32(set.get(), NFTNL_SET_DESC_SIZE, value.size);
  nlmsghdr* message = begin(NFT_MSG_NEWSET, NLM_F_CREATE, "set");
  nftnl_set_nlmsg_build_payload(message, set.get());
  finish(message);
}

void NftBatch::add_set(const std::string& table, const rules::nft::FixedSet& value) {
  SetPtr set = make_set(table, value.name, key_type(value.key));
  nftnl_set_set_u32(set.get(), NFTNL_SET_FLAGS,
                    value.ranges ? std::uint32_t{NFT_SET_INTERVAL} : 0U);
  if (value.size != 0)
    nftnl_set_set_u32(set.get(), NFTNL_SET_DESC_SIZE, static_cast<std::uint32_t>(value.size));
  nlmsghdr* message = begin(NFT_MSG_NEWSET, NLM_F_CREATE, "set");
  nftnl_set_nlmsg_build_payload(message, set.get());
  finish(message);
}

void NftBatch::add_map(const std::string& table, const rules::nft::Map& map) {
  SetPtr set = make_set(table, map.name, key_type(map.key));
  if (map.size != 0) nftnl_set_set_u32(set.get(), NFTNL_SET_DESC_SIZE, map.size);
  switch (map.to) {
    case rules::nft::Map::To::Nothing:
      break;
    case rules::nft::Map::To::Number:
      nftnl_set_set_u32(set.get(), NFTNL_SET_FLAGS, NFT_SET_MAP);
      nftnl_set_set_u32(set.get(), NFTNL_SET_DATA_TYPE,
                        key_type(rules::nft::Field::Priority).datatype);
      nftnl_set_set_u32(set.get(), NFTNL_SET_DATA_LEN, sizeof(std::uint32_t));
      tell_host_order(set.get(), NFTNL_UDATA_SET_DATABYTEORDER);
      break;
    case rules::nft::Map::To::Counter:
      nftnl_set_set_u32(set.get(), NFTNL_SET_FLAGS, NFT_SET_OBJECT);
      nftnl_set_set_u32(set.get(), NFTNL_SET_OBJ_TYPE, NFT_OBJECT_COUNTER);
      break;
    case rules::nft::Map::To::Jump:
    case rules::nft::Map::To::Goto:
      nftnl_set_set_u32(set.get(), NFTNL_SET_FLAGS, NFT_SET_MAP);
      nftnl_set_set_u32(set.get(), NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
      nftnl_set_set_u32(set.get(), NFTNL_SET_DATA_LEN, 0);
      break;
  }
  nlmsghdr* message = begin(NFT_MSG_NEWSET, NLM_F_CREATE, "map");
  nftnl_set_nlmsg_build_payload(message, set.get());
  finish(message);
}

void NftBatch::delete_set(const std::string& table, const std::string& name) {
  nlmsghdr* message = begin(NFT_MSG_DELSET, 0, "delete set");
  nftnl_set_nlmsg_build_payload(message, make_set(table, name).get());
  finish(message);
}

void NftBatch::flush_set(const std::string& table, const std::string& name) {
  nlmsghdr* message = begin(NFT_MSG_DELSETELEM, 0, "flush set");
  nftnl_set_elems_nlmsg_build_payload(message, make_set(table, name).get());
  finish(message);
}

void NftBatch::add_element(const std::string& table, const std::string& name,
                           std::span<const std::byte> key, std::chrono::milliseconds timeout) {
  SetPtr set = make_set(table, name);
  nftnl_set_elem* element = nftnl_set_elem_alloc();
  nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, key.data(),
                     static_cast<std::uint32_t>(key.size()));
  nftnl_set_elem_set_u64(element, NFTNL_SET_ELEM_TIMEOUT,
                         static_cast<std::uint64_t>(timeout.count()));
  nftnl_set_elem_add(set.get(), element);
  nlmsghdr* message = begin(NFT_MSG_NEWSETELEM, NLM_F_CREATE, "element of set");
  nftnl_set_elems_nlmsg_build_payload(message, set.get());
  finish(message);
}

void NftBatch::put_in_pieces(std::uint16_t type, std::uint16_t flags, const char* what,
                             const std::string& table, const std::string& set,
                             std::span<const KernelElement> elements) {
  while (!elements.empty()) {
    nlmsghdr* message = begin(type, flags, what);
    elements = elements.subspan(put_elements(message, table, set, elements));
    finish(message);
  }
}

void NftBatch::add_elements(const std::string& table, const std::string& set,
                            std::span<const KernelElement> elements) {
  put_in_pieces(NFT_MSG_NEWSETELEM, NLM_F_CREATE, "elements of", table, set, elements);
}

// For a large set at once: to grow into it would move all of it from one new place to the next.
void NftBatch::make_room(const rules::MemberSet& set, std::size_t members) {
  const std::size_t element = 3 * sizeof(nlattr) + words(load_of(set.key)) * 4;
  const std::size_t member = set.ranges() ? 2 * element + sizeof(nlattr) + 4 : element;
  const std::size_t all = members * member;
  if (all > messages_.capacity())
    messages_.reserve(messages_.size() + all + all / 64 + kElementMessageRoom);
}

void NftBatch::add_members(const std::string& table, const rules::MemberSet& set) {
  if (set.kind) {
    make_room(set, set.size());
    return put_members(table, set, 0, set.addresses->size());
  }
  std::vector<KernelElement> elements;
  set.for_each([&](const auto& member) { append_member(set, member, elements); });
  add_elements(table, set.name, elements);
}

void NftBatch::add_members_of(const std::string& table, const rules::MemberSet& set,
                              std::size_t first, std::size_t count) {
  make_room(set, count);
  put_members(table, set, first, count);
}

void NftBatch::put_members(const std::string& table, const rules::MemberSet& set, std::size_t first,
                           std::size_t count) {
  std::optional<ElementList> list;
  set.for_each_of(first, count, [&](const rules::AddressRange& member) {
    if (!list)
      list.emplace(begin(NFT_MSG_NEWSETELEM, NLM_F_CREATE, "elements of"), table, set.name);
    list->put_member(member, set.ranges());
    if (!list->full()) return;
    finish(list->end());
    list.reset();
  });
  if (list) finish(list->end());
}

void NftBatch::delete_elements(const std::string& table, const std::string& set,
                               std::span<const KernelElement> elements) {
  put_in_pieces(NFT_MSG_DELSETELEM, 0, "delete elements of", table, set, elements);
}

void NftBatch::add_chain(const std::string& table, const rules::nft::Chain& value) {
  ChainPtr chain = make_chain(table, value.name);
  if (value.base) {
    nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TYPE, "filter");
    nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_HOOKNUM, hook_number(value.base->hook));
    nftnl_chain_set_s32(chain.get(), NFTNL_CHAIN_PRIO, value.base->priority);
    nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_POLICY, NF_ACCEPT);
  }
  nlmsghdr* message = begin(NFT_MSG_NEWCHAIN, NLM_F_CREATE, "chain");
  nftnl_chain_nlmsg_build_payload(message, chain.get());
  finish(message);
}

void NftBatch::flush_chain(const std::string& table, const std::string& chain) {
  RulePtr all(nftnl_rule_alloc());
  nftnl_rule_set_str(all.get(), NFTNL_RULE_TABLE, table.c_str());
  nftnl_rule_set_str(all.get(), NFTNL_RULE_CHAIN, chain.c_str());
  nlmsghdr* message = begin(NFT_MSG_DELRULE, 0, "flush chain");
  nftnl_rule_nlmsg_build_payload(message, all.get());
  finish(message);
}

void NftBatch::delete_chain(const std::string& table, const std::string& chain) {
  nlmsghdr* message = begin(NFT_MSG_DELCHAIN, 0, "delete chain");
  nftnl_chain_nlmsg_build_payload(message, make_chain(table, chain).get());
  finish(message);
}

void NftBatch::add_rule(const std::string& table, const std::string& chain,
                        const rules::nft::Rule& value, QueueExpression queue) {
  const RulePtr rule = encode_rule(table, chain, value, queue);
  nlmsghdr* message = begin(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, "rule of chain");
  nftnl_rule_nlmsg_build_payload(message, rule.get());
  finish(message);
}

void NftBatch::replace_rule(const std::string& table, const std::string& chain,
                            std::uint64_t handle, const rules::nft::Rule& value,
                            QueueExpression queue) {
  const RulePtr rule = encode_rule(table, chain, value, queue);
  nftnl_rule_set_u64(rule.get(), NFTNL_RULE_HANDLE, handle);
  nlmsghdr* message = begin(NFT_MSG_NEWRULE, NLM_F_REPLACE, "rule of chain");
  nftnl_rule_nlmsg_build_payload(message, rule.get());
  finish(message);
}

void NftBatch::clear() {
  messages_.clear();
  described_.clear();
}

Result<void> NftBatch::commit(const char* what, std::optional<std::uint32_t> generation_id) {
  if (messages_.empty()) return {};
  // Before kernel 6.10 the end of a batch isn't acknowledged, so the last message of its inside is.
  auto* last = reinterpret_cast<nlmsghdr*>(messages_.data() + last_offset_);
  last->nlmsg_flags |= NLM_F_ACK;
  const std::uint32_t last_sequence = last->nlmsg_seq;
  nftnl_batch_end(reinterpret_cast<char*>(scratch_.data()), socket_.next_sequence());
  finish(reinterpret_cast<const nlmsghdr*>(scratch_.data()));

  nlmsghdr* first =
      nftnl_batch_begin(reinterpret_cast<char*>(scratch_.data()), socket_.next_sequence());
  if (generation_id) mnl_attr_put_u32(first, NFNL_BATCH_GENID, htonl(*generation_id));
  messages_.insert(messages_.begin(), scratch_.begin(), scratch_.begin() + first->nlmsg_len);
  for (Described& described : described_) described.offset += first->nlmsg_len;

  auto done = socket_.request(messages_, last_sequence, what);
  if (done) return {};
  const std::uint32_t culprit = socket_.failed_sequence() - first_sequence_;
  if (culprit >= described_.size()) return done;
  return failed(fmt::format("{}: the kernel refused \"{}\"", what, describe(described_[culprit])),
                done.error().code);
}

}  // namespace fwd::kernel

#include "fwd/kernel/nft_elements.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <optional>
#include <utility>

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "fwd/kernel/nft_field.h"

namespace fwd::kernel {
namespace {

constexpr std::uint16_t kV4 = 4;  // bytes of an address
constexpr std::uint16_t kV6 = 16;
constexpr std::size_t kLargestElement = 512;  // a chain's name is shorter than 256, a key than 64

// To the next value; false behind the last one there is.
bool advance(std::span<std::uint8_t> key) {
  for (std::size_t i = key.size(); i-- > 0;) {
    if (++key[i] != 0) return true;
  }
  return false;
}

void put_key(nlmsghdr* message, std::span<const std::uint8_t> bytes, bool end) {
  if (end) mnl_attr_put_u32(message, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_INTERVAL_END));
  nlattr* key = mnl_attr_nest_start(message, NFTA_SET_ELEM_KEY);
  mnl_attr_put(message, NFTA_DATA_VALUE, bytes.size(), bytes.data());
  mnl_attr_nest_end(message, key);
}

// An element that is nothing but an address, of which a list may have a million: what put_key() makes, at once.
template <std::uint16_t kBytes>
void put_lone_key(nlmsghdr* message, const std::uint8_t* bytes) {
  constexpr auto kHeader = std::uint16_t{sizeof(nlattr)};
  static_assert(NLA_ALIGN(kBytes) == kBytes);
  constexpr std::array<nlattr, 3> kHeaders{{
      {3 * kHeader + kBytes, NFTA_LIST_ELEM | NLA_F_NESTED},
      {2 * kHeader + kBytes, NFTA_SET_ELEM_KEY | NLA_F_NESTED},
      {kHeader + kBytes, NFTA_DATA_VALUE},
  }};
  auto* at = static_cast<std::uint8_t*>(mnl_nlmsg_get_payload_tail(message));
  std::memcpy(at, kHeaders.data(), sizeof kHeaders);
  std::memcpy(at + sizeof kHeaders, bytes, kBytes);
  message->nlmsg_len += sizeof kHeaders + kBytes;
}

void put_element(nlmsghdr* message, const KernelElement& element) {
  nlattr* one = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
  put_key(message, element.key, element.end);
  if (element.kind == ElementKind::Counter) {
    mnl_attr_put_strz(message, NFTA_SET_ELEM_OBJREF, element.target.c_str());
  } else if (element.kind == ElementKind::Number) {
    nlattr* data = mnl_attr_nest_start(message, NFTA_SET_ELEM_DATA);
    mnl_attr_put_u32(message, NFTA_DATA_VALUE, element.number);
    mnl_attr_nest_end(message, data);
  } else if (element.kind != ElementKind::Key) {
    const int code = element.kind == ElementKind::Jump ? NFT_JUMP : NFT_GOTO;
    nlattr* data = mnl_attr_nest_start(message, NFTA_SET_ELEM_DATA);
    nlattr* verdict = mnl_attr_nest_start(message, NFTA_DATA_VERDICT);
    mnl_attr_put_u32(message, NFTA_VERDICT_CODE, htonl(static_cast<std::uint32_t>(code)));
    mnl_attr_put_strz(message, NFTA_VERDICT_CHAIN, element.target.c_str());
    mnl_attr_nest_end(message, verdict);
    mnl_attr_nest_end(message, data);
  }
  mnl_attr_nest_end(message, one);
}

bool is(const nlattr* attribute, std::uint16_t type) {
  return mnl_attr_get_type(attribute) == type;
}

// libmnl's own macro for this isn't C++.
template <typename Each>
void for_each(const void* first, std::size_t bytes, Each each) {
  const auto* end = static_cast<const char*>(first) + bytes;
  const auto* attribute = static_cast<const nlattr*>(first);
  while (mnl_attr_ok(attribute, static_cast<int>(end - reinterpret_cast<const char*>(attribute)))) {
    each(*attribute);
    attribute = mnl_attr_next(attribute);
  }
}

template <typename Each>
void for_each_in(const nlattr& nest, Each each) {
  for_each(mnl_attr_get_payload(&nest), mnl_attr_get_payload_len(&nest), each);
}

void parse_data(const nlattr& data, KernelElement& element) {
  for_each_in(data, [&](const nlattr& verdict) {
    if (is(&verdict, NFTA_DATA_VALUE)) {
      element.kind = ElementKind::Number;
      element.number = mnl_attr_get_u32(&verdict);
    }
    if (!is(&verdict, NFTA_DATA_VERDICT)) return;
    for_each_in(verdict, [&](const nlattr& part) {
      if (is(&part, NFTA_VERDICT_CHAIN)) element.target = mnl_attr_get_str(&part);
      if (!is(&part, NFTA_VERDICT_CODE)) return;
      const bool jump = static_cast<int>(ntohl(mnl_attr_get_u32(&part))) == NFT_JUMP;
      element.kind = jump ? ElementKind::Jump : ElementKind::Goto;
    });
  });
}

void parse_key(const nlattr& data, KernelElement& element) {
  for_each_in(data, [&](const nlattr& value) {
    const auto* bytes = static_cast<const std::uint8_t*>(mnl_attr_get_payload(&value));
    if (is(&value, NFTA_DATA_VALUE))
      element.key.assign(bytes, bytes + mnl_attr_get_payload_len(&value));
  });
}

KernelElement parse_element(const nlattr& nested) {
  KernelElement element;
  for_each_in(nested, [&](const nlattr& part) {
    if (is(&part, NFTA_SET_ELEM_KEY)) parse_key(part, element);
    if (is(&part, NFTA_SET_ELEM_DATA)) parse_data(part, element);
    if (is(&part, NFTA_SET_ELEM_FLAGS))
      element.end = (ntohl(mnl_attr_get_u32(&part)) & NFT_SET_ELEM_INTERVAL_END) != 0;
    if (is(&part, NFTA_SET_ELEM_OBJREF)) {
      element.kind = ElementKind::Counter;
      element.target = mnl_attr_get_str(&part);
    }
  });
  return element;
}

}  // namespace

std::size_t hash_of(const KernelElement& element) {
  std::string all(element.key.begin(), element.key.end());
  all += static_cast<char>(element.end ? 1 : 0);
  all += static_cast<char>(element.kind);
  all += element.target;
  all.append(reinterpret_cast<const char*>(&element.number), sizeof element.number);
  return std::hash<std::string>{}(all);
}

void append_member(const rules::MemberSet& set, const rules::nft::Interval& member,
                   std::vector<KernelElement>& elements) {
  // As key_bytes() would make them, which takes long for lists of one: there may be a million members.
  const Load load = load_of(set.key);
  elements.push_back({bytes_of(member.first, load)});
  if (!set.ranges()) return;
  Bytes behind = bytes_of(member.last, load);
  if (advance(behind)) elements.push_back({std::move(behind), true});
}

KernelElement element_of(const rules::nft::Map& map, const rules::nft::Element& element) {
  constexpr std::array kKinds = {ElementKind::Jump, ElementKind::Goto, ElementKind::Counter,
                                 ElementKind::Number, ElementKind::Key};
  return {key_bytes(map.key, element.key), false, kKinds[static_cast<std::size_t>(map.to)],
          element.target, element.number};
}

ElementList::ElementList(nlmsghdr* message, const std::string& table, const std::string& set)
    : message_(message) {
  mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, table.c_str());
  mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, set.c_str());
  list_ = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
}

bool ElementList::full() const {
  return message_->nlmsg_len + kLargestElement >= kElementMessageRoom;
}

void ElementList::put(const KernelElement& element) {
  put_element(message_, element);
}

void ElementList::put_member(const rules::AddressRange& member, bool ranges) {
  std::array<std::uint8_t, kV6> buffer;
  const auto key = std::span(buffer).first(write_address(member.first, buffer.data()));
  if (key.size() == kV4)
    put_lone_key<kV4>(message_, buffer.data());
  else
    put_lone_key<kV6>(message_, buffer.data());
  if (!ranges) return;
  write_address(member.last, buffer.data());
  if (!advance(key)) return;
  nlattr* one = mnl_attr_nest_start(message_, NFTA_LIST_ELEM);
  put_key(message_, key, true);
  mnl_attr_nest_end(message_, one);
}

nlmsghdr* ElementList::end() {
  mnl_attr_nest_end(message_, list_);
  return message_;
}

std::size_t put_elements(nlmsghdr* message, const std::string& table, const std::string& set,
                         std::span<const KernelElement> elements) {
  ElementList list(message, table, set);
  std::size_t count = 0;
  while (count < elements.size() && !list.full()) list.put(elements[count++]);
  list.end();
  return count;
}

void parse_elements(const nlmsghdr& message,
                    const std::function<void(KernelElement element)>& each) {
  const void* first = mnl_nlmsg_get_payload_offset(&message, sizeof(nfgenmsg));
  for_each(first, mnl_nlmsg_get_payload_len(&message) - sizeof(nfgenmsg), [&](const nlattr& part) {
    if (!is(&part, NFTA_SET_ELEM_LIST_ELEMENTS)) return;
    for_each_in(part, [&](const nlattr& nested) { each(parse_element(nested)); });
  });
}

}  // namespace fwd::kernel

#include "fwd/kernel/nft_elements.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>

namespace {

using fwd::kernel::ElementList;
using fwd::kernel::KernelElement;
using rules::Address;
using rules::AddressRange;
using rules::MemberKind;
using rules::MemberSet;
using rules::nft::Field;

class Message {
 public:
  Message() {
    mnl_nlmsg_put_header(buffer_.data());
    mnl_nlmsg_put_extra_header(header(), sizeof(nfgenmsg));
  }
  nlmsghdr* header() { return reinterpret_cast<nlmsghdr*>(buffer_.data()); }
  std::string bytes() { return {buffer_.data(), header()->nlmsg_len}; }
  std::vector<KernelElement> elements() {
    std::vector<KernelElement> all;
    fwd::kernel::parse_elements(*header(),
                                [&](KernelElement one) { all.push_back(std::move(one)); });
    return all;
  }

 private:
  alignas(nlmsghdr) std::array<
      char, fwd::kernel::kElementMessageRoom> buffer_{};  // libmnl doesn't write what pads
};

// What put_member() writes is what put() writes of append_member()'s elements, and what is read again.
void check_alike(Field key, const MemberKind& kind, const std::vector<AddressRange>& members) {
  const MemberSet set{"s", key, kind};
  std::vector<KernelElement> elements;
  for (const auto& [first, last] : members) append_member(set, {first, last}, elements);
  Message by_member;
  ElementList list(by_member.header(), "t", set.name);
  for (const AddressRange& member : members) list.put_member(member, set.ranges());
  list.end();
  Message by_element;
  CHECK(put_elements(by_element.header(), "t", set.name, elements) == elements.size());
  CHECK(by_member.bytes() == by_element.bytes());
  CHECK(by_member.elements() == elements);
}

}  // namespace

TEST_CASE("a set's members are written as elements are, one by one or not") {
  using rules::Family;
  const auto v4 = [](std::uint32_t first, std::uint32_t last) {
    return AddressRange{Address::v4(first), Address::v4(last)};
  };
  const auto v6 = [](std::uint64_t first, std::uint64_t last) {
    return AddressRange{Address::v6(0x20010db800000000, first),
                        Address::v6(0x20010db800000000, last)};
  };
  const std::uint64_t most = ~std::uint64_t{0};
  check_alike(Field::Ip4Source, {Family::V4, false}, {v4(1, 1), v4(0xfffffffe, 0xfffffffe)});
  check_alike(Field::Ip4Source, {Family::V4, true}, {v4(1, 5), v4(0xfffffff0, 0xffffffff)});
  check_alike(Field::Ip6Destination, {Family::V6, false}, {v6(1, 1), v6(most, most)});
  check_alike(Field::Ip6Destination, {Family::V6, true}, {v6(1, 5), v6(9, most)});
}

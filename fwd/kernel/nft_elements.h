// Elements of sets and maps as the kernel has them, both ways: values of rules/nft.h to elements, and
// elements to and from netlink messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "rules/kernel_set.h"
#include "rules/nft.h"

struct nlattr;
struct nlmsghdr;

namespace fwd::kernel {

enum class ElementKind : std::uint8_t { Key, Jump, Goto, Counter, Number };

struct KernelElement {
  std::vector<std::uint8_t> key;  // as in the kernel's registers
  bool end = false;               // the first value behind a range
  ElementKind kind = ElementKind::Key;
  std::string target = {};  // chain or counter
  std::uint32_t number = 0;

  auto operator<=>(const KernelElement&) const = default;
};

std::size_t hash_of(const KernelElement& element);

// A range is two elements, but for one that ends with the last value there is.
void append_member(const rules::MemberSet& set, const rules::nft::Interval& member,
                   std::vector<KernelElement>& elements);
KernelElement element_of(const rules::nft::Map& map, const rules::nft::Element& element);

// The elements of one message, which is at the end of a buffer of kElementMessageRoom bytes.
inline constexpr std::size_t kElementMessageRoom = 64 * 1024;
class ElementList {
 public:
  ElementList(nlmsghdr* message, const std::string& table, const std::string& set);

  bool full() const;
  void put(const KernelElement& element);
  // What append_member() makes of a member of a set of addresses, of which there may be a million.
  void put_member(const rules::AddressRange& member, bool ranges);
  nlmsghdr* end();

 private:
  nlmsghdr* message_;
  nlattr* list_;
};

// Appends as many of `elements` as it takes to the message; how many those were.
std::size_t put_elements(nlmsghdr* message, const std::string& table, const std::string& set,
                         std::span<const KernelElement> elements);

// What an answer to NFT_MSG_GETSETELEM holds.
void parse_elements(const nlmsghdr& message,
                    const std::function<void(KernelElement element)>& each);

}  // namespace fwd::kernel

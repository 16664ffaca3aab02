// Elements of sets and maps as the kernel has them, both ways: values of rules/nft.h to elements, and
// elements to and from netlink messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rules/nft.h"

struct nlmsghdr;

namespace fwd::kernel {

enum class ElementKind : std::uint8_t { Key, Jump, Goto, Counter };

struct KernelElement {
  std::vector<std::uint8_t> key;  // as in the kernel's registers
  bool end = false;               // the first value behind a range
  ElementKind kind = ElementKind::Key;
  std::string target = {};  // chain or counter

  auto operator<=>(const KernelElement&) const = default;
};

// Sorted.
std::vector<KernelElement> elements_of(const rules::nft::FixedSet& set);
std::vector<KernelElement> elements_of(const rules::nft::Map& map);

// Appends as many of `elements` as one message takes to `message`, which is at the end of a buffer of
// kElementMessageRoom bytes; how many those were.
inline constexpr std::size_t kElementMessageRoom = 64 * 1024;
std::size_t put_elements(nlmsghdr* message, const std::string& table, const std::string& set,
                         std::span<const KernelElement> elements);

// Appends what an answer to NFT_MSG_GETSETELEM holds.
void parse_elements(const nlmsghdr& message, std::vector<KernelElement>& elements);

}  // namespace fwd::kernel

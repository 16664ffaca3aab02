#include "rules/classifier/linear_list.h"

#include <algorithm>
#include <optional>

namespace rules::classifier {

template <typename F>
void Block<F>::set_addresses(std::size_t at) {
  const AddressPair<F>& pair = entries[at].addresses;
  keys.source_span[at] = pair.source_word_span(source_word);
  keys.destination_span[at] = pair.destination_word_span(destination_word);
  keys.source[at] = F::word(pair.source, source_word);
  keys.destination[at] = F::word(pair.destination, destination_word);
}

// The first word in which two entries differ that ask for it: of rules for one site the first tell nothing.
template <typename F>
void Block<F>::choose_words() {
  const auto differs = [&](unsigned word, const auto& word_of, const auto& span_of) {
    std::optional<std::uint32_t> one;
    for (std::size_t at = 0; at < count; ++at) {
      if (span_of(entries[at].addresses, word) == ~0U) continue;
      const std::uint32_t number = word_of(entries[at].addresses, word);
      if (number != one.value_or(number)) return true;
      one = number;
    }
    return false;
  };
  const auto choose = [&](const auto& word_of, const auto& span_of) {
    for (unsigned word = 0; word < F::kBits / 32; ++word) {
      if (differs(word, word_of, span_of)) return word;
    }
    return 0U;
  };
  using Pair = AddressPair<F>;
  const unsigned source =
      choose([](const Pair& pair, unsigned at) { return F::word(pair.source, at); },
             [](const Pair& pair, unsigned at) { return pair.source_word_span(at); });
  const unsigned destination =
      choose([](const Pair& pair, unsigned at) { return F::word(pair.destination, at); },
             [](const Pair& pair, unsigned at) { return pair.destination_word_span(at); });
  if (source == source_word && destination == destination_word) return;
  source_word = source;
  destination_word = destination;
  for (std::size_t at = 0; at < count; ++at) set_addresses(at);
}

template <typename F>
void Block<F>::insert(std::size_t at, const Entry<F>& entry, Slot owner, const KindTest& kind) {
  const auto open = [&](auto& items) {
    std::copy_backward(items.begin() + static_cast<std::ptrdiff_t>(at),
                       items.begin() + static_cast<std::ptrdiff_t>(count),
                       items.begin() + static_cast<std::ptrdiff_t>(count + 1));
  };
  for (auto* items : {&keys.source, &keys.source_span, &keys.destination, &keys.destination_span})
    open(*items);
  for (auto* items : {&keys.source_port, &keys.source_port_span, &keys.destination_port,
                      &keys.destination_port_span, &keys.tag, &keys.tag_mask})
    open(*items);
  open(entries);
  open(owners);
  ++count;
  entries[at] = entry;
  owners[at] = owner;
  keys.source_port[at] = entry.source_ports.first;
  keys.source_port_span[at] = entry.source_ports.span;
  keys.destination_port[at] = entry.destination_ports.first;
  keys.destination_port_span[at] = entry.destination_ports.span;
  keys.tag[at] = tag_of(kind.value);
  keys.tag_mask[at] = tag_of(kind.mask);
  set_addresses(at);
  if constexpr (F::kFamily == Family::V6) choose_words();
}

template <typename F>
void Block<F>::erase(std::size_t at) {
  const auto close = [&](auto& items) {
    std::copy(items.begin() + static_cast<std::ptrdiff_t>(at + 1),
              items.begin() + static_cast<std::ptrdiff_t>(count),
              items.begin() + static_cast<std::ptrdiff_t>(at));
  };
  for (auto* items : {&keys.source, &keys.source_span, &keys.destination, &keys.destination_span})
    close(*items);
  for (auto* items : {&keys.source_port, &keys.source_port_span, &keys.destination_port,
                      &keys.destination_port_span, &keys.tag, &keys.tag_mask})
    close(*items);
  close(entries);
  close(owners);
  --count;
}

template <typename F>
std::size_t LinearList<F>::size() const {
  std::size_t sum = 0;
  for (const auto& block : blocks_) sum += block->count;
  return sum;
}

template <typename F>
std::size_t LinearList<F>::block_of(Label label) const {
  const auto at = std::ranges::lower_bound(
      blocks_, label, {}, [](const auto& block) { return block->entries[block->count - 1].label; });
  return static_cast<std::size_t>(at - blocks_.begin());
}

template <typename F>
void LinearList<F>::insert(const Entry<F>& entry, Slot owner, const KindTest& kind) {
  if (blocks_.empty()) {
    auto block = std::make_shared<Block<F>>();
    block->insert(0, entry, owner, kind);
    blocks_.push_back(std::move(block));
    return;
  }
  const std::size_t number = std::min(block_of(entry.label), blocks_.size() - 1);
  auto block = std::make_shared<Block<F>>(*blocks_[number]);
  if (block->count == kBlock) {
    auto second = std::make_shared<Block<F>>(*block);
    // At the end of the list nothing is expected between: the block stays full.
    const bool append =
        number + 1 == blocks_.size() && entry.label > block->entries[kBlock - 1].label;
    const std::size_t kept = append ? kBlock - 1 : kBlock / 2;
    for (std::size_t i = 0; i < kept; ++i) second->erase(0);
    block->count = kept;
    blocks_[number] = block;
    blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(number + 1), second);
    return insert(entry, owner, kind);
  }
  const auto end = block->entries.begin() + static_cast<std::ptrdiff_t>(block->count);
  const auto at =
      std::ranges::lower_bound(block->entries.begin(), end, entry.label, {}, &Entry<F>::label);
  block->insert(static_cast<std::size_t>(at - block->entries.begin()), entry, owner, kind);
  blocks_[number] = std::move(block);
}

template <typename F>
template <typename Change>
bool LinearList<F>::change_entries(Label label, Slot owner, const Change& change) {
  bool found = false;
  for (std::size_t number = block_of(label); number < blocks_.size();) {
    const Block<F>& before = *blocks_[number];
    if (before.entries[0].label > label) break;
    std::shared_ptr<Block<F>> after;
    for (std::size_t at = before.count; at-- > 0;) {
      if (before.owners[at] != owner) continue;
      if (!after) after = std::make_shared<Block<F>>(before);
      change(*after, at);
    }
    found |= after != nullptr;
    if (after && after->count == 0) {
      blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(number));
      continue;
    }
    if (after) blocks_[number] = std::move(after);
    ++number;
  }
  return found;
}

template <typename F>
bool LinearList<F>::mark_pending(Label label, Slot owner) {
  return change_entries(label, owner, [](Block<F>& block, std::size_t at) {
    block.entries[at].condition |= Entry<F>::kPending;
  });
}

template <typename F>
bool LinearList<F>::erase(Label label, Slot owner) {
  return change_entries(label, owner, [](Block<F>& block, std::size_t at) { block.erase(at); });
}

template struct Block<V4>;
template struct Block<V6>;
template class LinearList<V4>;
template class LinearList<V6>;

}  // namespace rules::classifier

#include "rules/classifier/classifier.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "rules/classifier/choose.h"
#include "rules/classifier/cut.h"
#include "rules/classifier/generation.h"

namespace rules::classifier {
namespace {

constexpr std::size_t kSomeRoom = 64;

std::size_t with_reserve(std::size_t count) {
  return count + count / 2 + kSomeRoom;
}

// Labels from one rule to the next, where all are numbered at once.
Label stride_for(std::size_t rules) {
  return kNoLabel / (static_cast<Label>(rules) + 1);
}

constexpr Label kStride = 64;  // between rules that are added one after the other

}  // namespace

Classifier::Classifier(std::span<const Pattern> patterns, std::shared_ptr<AddressIndexes> indices)
    : indices_{std::move(indices)} {
  const Label stride = stride_for(patterns.size());
  Entries<V4> v4;
  Entries<V6> v6;
  v4.entries.reserve(patterns.size());
  v4.owners.reserve(patterns.size());
  labels_.reserve(patterns.size());
  for (const Pattern& pattern : patterns) {
    const auto slot = static_cast<Slot>(labels_.size());
    labels_.push_back(stride * (slot + 1));
    append(pattern, slot, labels_[slot], v4);
    append(pattern, slot, labels_[slot], v6);
  }
  build(v4, v6, true);
}

Classifier::~Classifier() = default;

// Of the entries from `first` on each piece stays once: two of them may stand in different tables, where a removal would
// find the first one twice.
template <typename F>
void Classifier::drop_repeated(std::vector<Entry<F>>& entries, std::size_t first) {
  for (std::size_t i = first + 1; i < entries.size();) {
    const auto here = entries.begin() + static_cast<std::ptrdiff_t>(i);
    const auto from = entries.begin() + static_cast<std::ptrdiff_t>(first);
    if (std::none_of(from, here, [&](const auto& one) { return one.same_piece(*here); })) {
      ++i;
      continue;
    }
    conditions_.give_back(here->condition_word());
    entries.erase(here);
  }
}

template <typename F>
void Classifier::append(const Pattern& pattern, Slot slot, Label label, Entries<F>& to) {
  const std::size_t before = to.entries.size();
  cut(*pattern.match, pattern.interface, *indices_, conditions_, to.entries);
  drop_repeated(to.entries, before);
  for (std::size_t i = before; i < to.entries.size(); ++i) to.entries[i].label = label;
  to.owners.resize(to.entries.size(), slot);
}

void Classifier::build(const Entries<V4>& v4, const Entries<V6>& v6, bool choose_anew) {
  const Condition* const conditions = conditions_.data().get();
  const auto store = [&]<typename F>(const Entries<F>& entries) {
    const auto shapes = choose_anew ? choose_shapes<F>(entries.entries, conditions)
                                    : generation_->store<F>().shapes();
    return Store<F>{entries.entries, entries.owners, conditions, shapes,
                    with_reserve(entries.entries.size())};
  };
  generation_ = std::make_shared<Generation>(store(v4), store(v6), with_reserve(labels_.size()));
  generation_->chores.version = next_version_;
}

void Classifier::rebuild() {
  const auto collect = [&]<typename F>(const Store<F>& store) {
    std::vector<std::pair<Entry<F>, Slot>> found;
    store.for_each([&](Entry<F> entry, Slot owner) {
      if (labels_[owner] == kNoLabel) return;
      entry.condition = entry.condition_word();
      entry.label = labels_[owner];
      found.emplace_back(entry, owner);
    });
    std::ranges::sort(found, {}, [](const auto& item) { return item.first.label; });
    Entries<F> sorted;
    for (const auto& [entry, owner] : found) {
      sorted.entries.push_back(entry);
      sorted.owners.push_back(owner);
    }
    return sorted;
  };
  const bool outgrown = generation_->v4.outgrown() || generation_->v6.outgrown();
  build(collect(generation_->v4), collect(generation_->v6), outgrown);
}

void Classifier::renumber() {
  std::vector<Slot> order;
  for (Slot slot = 0; slot < labels_.size(); ++slot) {
    if (labels_[slot] != kNoLabel) order.push_back(slot);
  }
  std::ranges::sort(order, {}, [this](Slot slot) { return labels_[slot]; });
  const Label stride = stride_for(order.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    labels_[order[i]] = stride * static_cast<Label>(i + 1);
  rebuild();
}

Slot Classifier::take_slot(Label label) {
  if (free_slots_.empty()) {
    labels_.push_back(label);
    return static_cast<Slot>(labels_.size() - 1);
  }
  const Slot slot = free_slots_.back();
  free_slots_.pop_back();
  labels_[slot] = label;
  return slot;
}

template <typename F>
void Classifier::insert_into(Store<F>& store, Entries<F>& cut, const Pattern& pattern, Slot slot) {
  cut.entries.clear();
  cut.owners.clear();
  append(pattern, slot, labels_[slot], cut);
  for (Entry<F>& entry : cut.entries) {
    entry.condition |= Entry<F>::kPending;
    store.insert(entry, slot, kind_test(entry.condition_word(), conditions_.data().get()),
                 generation_->chores);
  }
}

Slot Classifier::insert(const Pattern& pattern, Label label) {
  reclaim();
  const bool no_slot = free_slots_.empty() && labels_.size() == generation_->slots;
  if (no_slot || generation_->v4.full() || generation_->v6.full() || generation_->v4.outgrown() ||
      generation_->v6.outgrown())
    rebuild();
  const Slot slot = take_slot(label);
  generation_->lifetimes[slot].begin(next_version_);
  insert_into(generation_->v4, cut_v4_, pattern, slot);
  insert_into(generation_->v6, cut_v6_, pattern, slot);
  return slot;
}

template <typename F>
void Classifier::remove_from(Store<F>& store, Entries<F>& cut, const Pattern& pattern, Slot slot) {
  cut.entries.clear();
  cut.owners.clear();
  append(pattern, slot, labels_[slot], cut);
  for (const Entry<F>& entry : cut.entries) {
    const std::uint32_t word = entry.condition_word();
    const bool removed =
        store.remove(entry, slot, kind_test(word, conditions_.data().get()), generation_->chores);
    conditions_.give_back(word);  // that of this cut; the entry's own is left for later
    if (removed) leftovers_.push_back({next_version_, {}, word});
  }
}

void Classifier::remove(Slot slot, const Pattern& pattern) {
  reclaim();
  if (generation_->v4.full() || generation_->v6.full()) rebuild();
  generation_->lifetimes[slot].end(next_version_);
  remove_from(generation_->v4, cut_v4_, pattern, slot);
  remove_from(generation_->v6, cut_v6_, pattern, slot);
  labels_[slot] = kNoLabel;
  leftovers_.push_back({next_version_, slot, 0});
}

void Classifier::reclaim() {
  while (!readers_.empty() && readers_.front().ended->load(std::memory_order_acquire))
    readers_.pop_front();
  const std::uint64_t oldest = readers_.empty() ? next_version_ : readers_.front().version;
  Chores& chores = generation_->chores;
  while (!chores.waiting.empty() && chores.waiting.front().version <= oldest) {
    if (generation_->v4.full() || generation_->v6.full()) {
      rebuild();  // with what is to be erased left out, and room to go on
      break;
    }
    const Chore chore = chores.waiting.front();
    chores.waiting.pop_front();
    if (chore.v6) {
      generation_->v6.run(chore, chores);
    } else {
      generation_->v4.run(chore, chores);
    }
  }
  for (; !leftovers_.empty() && leftovers_.front().version <= oldest; leftovers_.pop_front()) {
    const Leftover& leftover = leftovers_.front();
    if (leftover.slot) {
      free_slots_.push_back(*leftover.slot);
    } else {
      conditions_.give_back(leftover.condition);
    }
  }
}

std::shared_ptr<const Version> Classifier::publish() {
  auto ended = std::make_shared<std::atomic<bool>>(false);
  auto version =
      std::make_shared<const Version>(generation_, conditions_.data(), next_version_, ended);
  readers_.push_back({next_version_, std::move(ended)});
  generation_->chores.version = ++next_version_;
  return version;
}

std::size_t Classifier::memory_bytes() const {
  return generation_->v4.memory_bytes() + generation_->v6.memory_bytes() +
         conditions_.memory_bytes() + labels_.capacity() * sizeof(Label);
}

Version::Version(std::shared_ptr<Generation> generation,
                 std::shared_ptr<const Condition[]> conditions, std::uint64_t number,
                 std::shared_ptr<std::atomic<bool>> ended)
    : generation_{std::move(generation)},
      conditions_{std::move(conditions)},
      v4_{generation_->v4.directory()},
      v6_{generation_->v6.directory()},
      method_{methods().front()},
      number_{number},
      ended_{std::move(ended)} {}

Version::~Version() {
  ended_->store(true, std::memory_order_release);
}

template <typename F>
View<F> Version::view() const noexcept {
  const Directory<F>* directory = nullptr;
  if constexpr (F::kFamily == Family::V4) {
    directory = v4_.get();
  } else {
    directory = v6_.get();
  }
  return {*directory, conditions_.get(), generation_->lifetimes.get(), number_, method_};
}

template View<V4> Version::view<V4>() const noexcept;
template View<V6> Version::view<V6>() const noexcept;

Found Version::first_match(const Packet& packet, InterfaceId interface) const noexcept {
  if (packet.family() == Family::V4)
    return search(view<V4>(), point_of<V4>(packet, interface)).found();
  return search(view<V6>(), point_of<V6>(packet, interface)).found();
}

namespace {

// Of one family, with where in the batch they stand.
template <typename F>
struct Group {
  std::array<Point<F>, kGroup> points;
  std::array<std::size_t, kGroup> places;
  std::size_t count = 0;

  void add(const Query& query, std::size_t place) {
    points[count] = point_of<F>(*query.packet, query.interface);
    places[count++] = place;
  }

  void search(const View<F>& view, std::span<Found> found) {
    std::array<Best, kGroup> best;
    search_batch(view, points.data(), count, best.data());
    for (std::size_t i = 0; i < count; ++i) found[places[i]] = best[i].found();
    count = 0;
  }
};

}  // namespace

void Version::first_matches(std::span<const Query> queries, std::span<Found> found) const noexcept {
  Group<V4> v4;
  Group<V6> v6;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    if (queries[i].packet->family() == Family::V4) {
      v4.add(queries[i], i);
      if (v4.count == kGroup) v4.search(view<V4>(), found);
    } else {
      v6.add(queries[i], i);
      if (v6.count == kGroup) v6.search(view<V6>(), found);
    }
  }
  if (v4.count > 0) v4.search(view<V4>(), found);
  if (v6.count > 0) v6.search(view<V6>(), found);
}

std::optional<Label> between(Label before, Label after, std::optional<Label> last) {
  const Label gap = after - before;
  if (gap < 2) return std::nullopt;
  if (last == before) return before + std::min(gap / 2, kStride);
  if (last == after) return after - std::min(gap / 2, kStride);
  return before + gap / 2;
}

}  // namespace rules::classifier

// The classifier: which is the first rule that matches a packet. Rules of one direction, 10 to 100,000 and more, over the
// whole language; by merged tuples (TupleMerge: Daly et al., IEEE/ACM ToN 2019, doi 10.1109/TNET.2019.2920718).
//
// One thread writes: it builds, inserts, removes, and publishes what it did as a new version. Any number of threads read,
// each the version it has at hand, which answers the same for as long as it is held, whatever the writer does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "rules/classifier/condition.h"
#include "rules/classifier/search.h"
#include "rules/classifier/store.h"
#include "rules/policy.h"

namespace rules::classifier {

// A rule as the classifier takes it: `interface` is the number of the name in `match`, if it has one.
struct Pattern {
  const Match* match;
  std::optional<InterfaceId> interface;
};

struct Query {
  const Packet* packet;
  InterfaceId interface;
};

// What all versions between two rebuilds share.
struct Generation;

class Version {
 public:
  Version(std::shared_ptr<Generation> generation, std::shared_ptr<const Condition[]> conditions,
          std::uint64_t number, std::shared_ptr<std::atomic<bool>> ended);
  Version(const Version&) = delete;
  Version& operator=(const Version&) = delete;
  ~Version();

  Found first_match(const Packet& packet, InterfaceId interface) const noexcept;
  // found[i] for queries[i]; much faster than one by one.
  void first_matches(std::span<const Query> queries, std::span<Found> found) const noexcept;

  template <typename F>
  View<F> view() const noexcept;

 private:
  std::shared_ptr<Generation> generation_;
  std::shared_ptr<const Condition[]> conditions_;
  std::shared_ptr<const Directory<V4>> v4_;
  std::shared_ptr<const Directory<V6>> v6_;
  Method method_;
  std::uint64_t number_;
  std::shared_ptr<std::atomic<bool>> ended_;  // set when nobody has the version any more
};

class Classifier {
 public:
  // Rules in order. Rule i gets slot i and a label with room beside it. Sets of addresses may be gone afterwards.
  explicit Classifier(std::span<const Pattern> patterns,
                      std::shared_ptr<AddressIndexes> indices = std::make_shared<AddressIndexes>());
  ~Classifier();

  // Seen by readers of the next version. No two rules may have the same label: see between().
  Slot insert(const Pattern& pattern, Label label);
  // `pattern` as it was inserted. Its slot is given to another rule once no reader can see this one.
  void remove(Slot slot, const Pattern& pattern);
  std::shared_ptr<const Version> publish();
  // Gives every rule a new label, with room beside each; takes milliseconds for 100,000. Seen with the next version.
  void renumber();

  Label label(Slot slot) const { return labels_[slot]; }
  std::size_t memory_bytes() const;

 private:
  // Entries of one rule, or of all.
  template <typename F>
  struct Entries {
    std::vector<Entry<F>> entries;
    std::vector<Slot> owners;
  };
  struct Reader {
    std::uint64_t version;
    std::shared_ptr<std::atomic<bool>> ended;
  };
  // Of a rule that was removed: what nobody may use again before the readers have passed.
  struct Leftover {
    std::uint64_t version;
    std::optional<Slot> slot;
    std::uint32_t condition;  // its word, without slot
  };

  template <typename F>
  void append(const Pattern& pattern, Slot slot, Label label, Entries<F>& to);
  template <typename F>
  void drop_repeated(std::vector<Entry<F>>& entries, std::size_t first);
  void build(const Entries<V4>& v4, const Entries<V6>& v6, bool choose_anew);
  void rebuild();
  Slot take_slot(Label label);
  template <typename F>
  void insert_into(Store<F>& store, Entries<F>& cut, const Pattern& pattern, Slot slot);
  template <typename F>
  void remove_from(Store<F>& store, Entries<F>& cut, const Pattern& pattern, Slot slot);
  void reclaim();

  std::shared_ptr<AddressIndexes> indices_;
  Conditions conditions_;
  std::shared_ptr<Generation> generation_;
  std::vector<Label> labels_;  // by slot; kNoLabel where there is no rule
  std::vector<Slot> free_slots_;
  std::uint64_t next_version_ = 1;
  std::deque<Reader> readers_;  // from the oldest version
  std::deque<Leftover> leftovers_;
  Entries<V4> cut_v4_;  // of the rule at hand
  Entries<V6> cut_v6_;
};

// A label between two: next to the one that was given out last, if that is known, so that rules added one after the other
// use up little room. Nothing where there is no room: renumber().
std::optional<Label> between(Label before, Label after, std::optional<Label> last = {});

}  // namespace rules::classifier

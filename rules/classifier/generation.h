// What all versions between two rebuilds share: the tables of both families and the rules' lifetimes, with room for some
// growth. When there is none left, all is built anew as the next generation, and this one goes with its last reader.
#pragma once

#include <cstdlib>
#include <memory>

#include "rules/classifier/search.h"
#include "rules/classifier/store.h"

namespace rules::classifier {

struct Generation {
  Store<V4> v4;
  Store<V6> v6;
  std::size_t slots;  // for as many rules there is a lifetime
  // Zeroed by the system as they are used: a rule set that never changes has none in memory.
  std::unique_ptr<Lifetime[], void (*)(void*)> lifetimes{
      static_cast<Lifetime*>(std::calloc(slots, sizeof(Lifetime))), &std::free};
  Chores chores{};

  template <typename F>
  Store<F>& store() {
    if constexpr (F::kFamily == Family::V4) {
      return v4;
    } else {
      return v6;
    }
  }
};

}  // namespace rules::classifier

// Rules of a list are shared, and never change: a test that needs another one puts it in its place.
#pragma once

#include <utility>

#include "rules/policy.h"

namespace tests {

template <typename Change>
void change(rules::RuleList& list, std::size_t index, Change change) {
  rules::Rule rule = list[index];
  change(rule);
  list.replace(index, std::move(rule), list.written(index));
}

}  // namespace tests

// search_batch() for IPv4 in 512-bit registers: 16 points hash at once, 8 entries compare at once and without a branch that
// could be guessed wrong.
#pragma once

#include <cstddef>

#include "rules/classifier/search.h"

namespace rules::classifier {

// Whether this processor can.
bool has_avx512() noexcept;

// At most kGroup points.
void search_group_avx512(const View<V4>& view, const Point<V4>* points, std::size_t count,
                         Best* best) noexcept;

}  // namespace rules::classifier

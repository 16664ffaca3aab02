// The lookup in 512-bit registers: all masks of one packet are hashed at once, or one mask of 16 packets; the buckets' slots
// are gathered; and the entries of a row are compared at once, without a branch that could be guessed wrong.
#pragma once

#include <cstddef>

#include "rules/classifier/search.h"

namespace rules::classifier {

// Whether this processor can.
bool has_avx512() noexcept;

template <typename F>
Best search_avx512(const View<F>& view, const Point<F>& point) noexcept;

// At most kGroup points.
template <typename F>
void search_group_avx512(const View<F>& view, const Point<F>* points, std::size_t count,
                         Best* best) noexcept;

}  // namespace rules::classifier

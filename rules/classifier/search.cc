// search() and search_batch(), in the way the view's method says; and search_batch() for processors without AVX-512.
#include "rules/classifier/search.h"

#include <vector>

#include "rules/classifier/search_avx512.h"

namespace rules::classifier {
namespace {

// A bucket that may hold what a point matches.
struct Candidate {
  std::uint64_t bucket;  // BucketRef::packed()
  std::size_t point;
};

template <typename F>
class Group {
 public:
  Group(const View<F>& view, const Point<F>* points, std::size_t count, Best* best) noexcept
      : view_{view}, points_{points}, count_{count}, best_{best} {}

  void search() noexcept {
    const Directory<F>& directory = view_.directory;
    if (directory.table_count != 0) {
      hash();
      for (std::size_t i = 0; i < directory.table_count; ++i) probe(directory.tables[i]);
      compare();
    }
    for (std::size_t i = 0; i < count_; ++i) search_list(view_, points_[i], best_[i]);
  }

 private:
  void hash() noexcept {
    const Directory<F>& directory = view_.directory;
    for (std::size_t level = 0; level < directory.sources.count; ++level) {
      for (std::size_t i = 0; i < count_; ++i)
        source_[level][i] =
            address_hash(points_[i].source, directory.sources.masks[level], kSourceSeed);
    }
    for (std::size_t level = 0; level < directory.destinations.count; ++level) {
      for (std::size_t i = 0; i < count_; ++i)
        destination_[level][i] = address_hash(
            points_[i].destination, directory.destinations.masks[level], kDestinationSeed);
    }
    for (std::size_t level = 0; level < directory.fields.count; ++level) {
      for (std::size_t i = 0; i < count_; ++i)
        fields_[level][i] = field_hash(points_[i], directory.fields.masks[level]);
    }
  }

  void probe(const Table& table) noexcept {
    const auto& source = source_[table.source];
    const auto& destination = destination_[table.destination];
    const auto& fields = fields_[table.fields];
    for (std::size_t i = 0; i < count_; ++i) {
      const std::uint32_t hash = source[i] ^ destination[i] ^ fields[i];
      const BucketRef bucket = bucket_at(table, hash);
      candidates_[found_] = {bucket.packed(), i};
      found_ += bucket.may_hold(hash);
      __builtin_prefetch(view_.directory.bucket(bucket));
    }
  }

  void compare() noexcept {
    for (std::size_t i = 0; i < found_; ++i) {
      const Candidate& candidate = candidates_[i];
      Best& best = best_[candidate.point];
      const BucketRef bucket = BucketRef::unpacked(candidate.bucket);
      if (bucket.floor > best.label() >> 16U) continue;
      search_bucket(view_, bucket, points_[candidate.point], best);
    }
  }

  const View<F>& view_;
  const Point<F>* points_;
  std::size_t count_;
  Best* best_;
  std::array<std::array<std::uint32_t, kGroup>, kMostLevels> source_;
  std::array<std::array<std::uint32_t, kGroup>, kMostLevels> destination_;
  std::array<std::array<std::uint32_t, kGroup>, kMostLevels> fields_;
  std::array<Candidate, kGroup * kMostTables + 1> candidates_;
  std::size_t found_ = 0;
};

std::vector<Method> make_methods() {
  std::vector<Method> methods;
#if defined(__x86_64__)
  if (has_avx512()) methods.push_back({"avx512", &scan_block_avx512, true});
  if (__builtin_cpu_supports("avx2")) methods.push_back({"avx2", &scan_block_avx2, false});
#endif
  methods.push_back({"portable", &scan_block_portably, false});
  return methods;
}

}  // namespace

std::span<const Method> methods() {
  static const std::vector<Method> list = make_methods();
  return list;
}

template <typename F>
Best search(const View<F>& view, const Point<F>& point) noexcept {
  return view.method.avx512 ? search_avx512(view, point) : search_portably(view, point);
}

template <typename F>
void search_batch(const View<F>& view, const Point<F>* points, std::size_t count,
                  Best* best) noexcept {
  for (std::size_t at = 0; at < count; at += kGroup) {
    const std::size_t some = std::min(kGroup, count - at);
    if (view.method.avx512) {
      search_group_avx512(view, points + at, some, best + at);
    } else {
      Group<F>{view, points + at, some, best + at}.search();
    }
  }
}

template Best search(const View<V4>&, const Point<V4>&) noexcept;
template Best search(const View<V6>&, const Point<V6>&) noexcept;
template void search_batch(const View<V4>&, const Point<V4>*, std::size_t, Best*) noexcept;
template void search_batch(const View<V6>&, const Point<V6>*, std::size_t, Best*) noexcept;

}  // namespace rules::classifier

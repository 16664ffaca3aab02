// Ownership of what a C library gives out.
#pragma once

#include <memory>

namespace fwd {

template <auto Function>
struct FreeBy {
  template <typename T>
  void operator()(T* object) const {
    Function(object);
  }
};

// Owned<nftnl_table, nftnl_table_free>
template <typename T, auto Function>
using Owned = std::unique_ptr<T, FreeBy<Function>>;

}  // namespace fwd

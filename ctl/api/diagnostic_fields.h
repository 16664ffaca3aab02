// DIAG: a diagnostic's place stands beside its message, not below it.
#pragma once

#include <array>

#include "ctl/api/fields.h"
#include "rules/diagnostic.h"

namespace ctl::api {

template <>
struct Names<rules::Severity> {
  static constexpr std::array<std::string_view, 2> kNames{"error", "warning"};
  static_assert(static_cast<int>(rules::Severity::Error) == 0 &&
                static_cast<int>(rules::Severity::Warning) == 1);
};

template <>
struct Fields<rules::Location> {
  using T = rules::Location;
  static constexpr std::tuple kFields{Field{"file", &T::file}, Field{"line", &T::line},
                                      Field{"column", &T::column}, Field{"length", &T::length},
                                      Field{"source_line", &T::source_line}};
};

template <>
struct Fields<rules::Diagnostic> {
  using T = rules::Diagnostic;
  static constexpr std::tuple kFields{Field{"severity", &T::severity},
                                      Field{"file", [](auto& d) -> auto& {return d.where.file;
}
}  // namespace ctl::api
, Field{"line", [](auto& d) -> auto& {return d.where.line;
}
}
, Field{"column", [](auto& d) -> auto& {return d.where.column;
}
}
, Field{"length", [](auto& d) -> auto& {return d.where.length;
}
}
, Field{"source_line", [](auto& d) -> auto& {return d.where.source_line;
}
}
, Field{"message", &T::message}, Field{"hint", &T::hint}, Field {
  "other", &T::other
}
}
;
}
;

}  // namespace ctl::api

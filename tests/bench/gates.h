// What a row of a table has to reach, and whether it does.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace bench {

struct Gate {
  enum class Kind { AtLeast, AtMost };

  std::string_view name;
  double value;
  Kind kind;
  double limit;

  bool holds() const { return kind == Kind::AtLeast ? value >= limit : value <= limit; }
};

// "scan/1 45.1>=30 ok"
inline std::string to_text(const std::vector<Gate>& gates) {
  std::string text;
  for (const Gate& gate : gates) {
    text += fmt::format("{}{} {:.4g}{}{:g} {}", text.empty() ? "" : ", ", gate.name, gate.value,
                        gate.kind == Gate::Kind::AtLeast ? ">=" : "<=", gate.limit,
                        gate.holds() ? "ok" : "MISSED");
  }
  return text;
}

inline std::string to_json(const std::vector<Gate>& gates) {
  std::vector<std::string> texts;
  for (const Gate& gate : gates) {
    texts.push_back(fmt::format(
        R"({{"gate": "{}", "value": {:.4g}, "{}": {:g}, "holds": {}}})", gate.name, gate.value,
        gate.kind == Gate::Kind::AtLeast ? "at_least" : "at_most", gate.limit, gate.holds()));
  }
  return fmt::format("[{}]", fmt::join(texts, ", "));
}

}  // namespace bench

// From text to policy in one call, for tests of what stands behind the parser.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "rules/edit.h"
#include "rules/parser.h"
#include "rules/printer.h"
#include "rules/resolver.h"

namespace rules::tests {

inline const Services& services() {
  static const Services table = parse_services(
      "ssh 22/tcp # SSH Remote Login Protocol\n"
      "smtp 25/tcp mail\n"
      "domain 53/tcp\ndomain 53/udp\n"
      "bootps 67/udp\n"
      "http 80/tcp www # WorldWideWeb HTTP\n"
      "ntp 123/udp\n"
      "https 443/tcp\nhttps 443/udp\n"
      "mysql 3306/tcp\n");
  return table;
}

inline SourceTree tree_of(std::string text, std::vector<Source> includes = {}) {
  return {{"policy.fw", std::move(text)}, std::move(includes)};
}

inline std::string render_all(const std::vector<Diagnostic>& diagnostics) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) text += render(diagnostic);
  return text;
}

inline std::expected<Resolved, std::vector<Diagnostic>> resolve_tree(const SourceTree& tree) {
  const auto document = parse(tree);
  if (!document) return std::unexpected(document.error());
  return resolve(*document, services());
}

// A policy that can be edited.
struct Loaded {
  Resolved resolved;

  explicit Loaded(const SourceTree& texts) {
    auto result = resolve_tree(texts);
    if (!result) throw std::invalid_argument(render(result.error().front()));
    resolved = *std::move(result);
  }
  EditBase base() const { return {resolved.policy, resolved.outline, services()}; }
};

// The errors of a policy as a person sees them, or nothing.
inline std::string errors_of(const SourceTree& tree) {
  const auto resolved = resolve_tree(tree);
  return resolved ? "" : render_all(resolved.error());
}

inline std::string errors_of(std::string text) {
  return errors_of(tree_of(std::move(text)));
}

// The canonical text of one rule, or its errors.
inline std::string canonical_of(std::string text) {
  const auto resolved = resolve_tree(tree_of(std::move(text)));
  if (!resolved) return render_all(resolved.error());
  return resolved->policy.rules.empty() ? "no rule" : canonical_text(resolved->policy.rules.back());
}

}  // namespace rules::tests

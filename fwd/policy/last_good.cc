#include "fwd/policy/last_good.h"

#include <utility>

#include "ctl/api/codec.h"
#include "ctl/api/policy.h"
#include "fwd/files.h"

namespace fwd::policy {

Result<std::optional<rules::SourceTree>> LastGood::read() const {
  const auto text = read_file(path_);
  if (!text && text.error().code == ENOENT) return std::nullopt;
  if (!text) return std::unexpected(text.error());
  auto sources = ctl::api::decode<ctl::api::Sources>(*text);
  if (!sources) return failed(path_ + ": " + sources.error(), 0);
  return rules::SourceTree{std::move(sources->main), std::move(sources->includes)};
}

Result<void> LastGood::keep(const rules::SourceTree& sources) const {
  const std::string text = ctl::api::encode(ctl::api::Sources{sources.main, sources.includes});
  if (const auto kept = read_file(path_); kept && *kept == text) return {};
  return replace_file(path_, text);
}

}  // namespace fwd::policy

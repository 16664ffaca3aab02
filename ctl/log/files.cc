#include "ctl/log/files.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <tuple>
#include <utility>

#include <fmt/core.h>
#include <sys/stat.h>

#include "ctl/api/audit_chain.h"
#include "ctl/log/reader.h"
#include "rules/diagnostic.h"

namespace ctl::log {
namespace {

namespace fs = std::filesystem;

// As logrotate and the daemon name them: a number or a date after the name, and gzip's suffix.
bool is_rotated_name(std::string_view name, std::string_view base) {
  if (!name.starts_with(base)) return false;
  name.remove_prefix(base.size());
  if (name.ends_with(".gz")) name.remove_suffix(3);
  return name.size() > 1 && (name[0] == '.' || name[0] == '-') &&
         name.find_first_not_of("0123456789-", 1) == std::string_view::npos;
}

bool written_since(const fs::path& path, Time since) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return false;
  return std::chrono::seconds(status.st_mtim.tv_sec) >=
         std::chrono::floor<std::chrono::seconds>(since.time_since_epoch());
}

std::expected<std::uint64_t, api::Error> first_sequence(const std::string& path) {
  auto reader = Reader::open(path);
  if (!reader) return std::unexpected(std::move(reader.error()));
  const auto line = reader->next();
  if (!line) return std::unexpected(line.error());
  return api::facts_of(*line).sequence;
}

}  // namespace

api::Error unreadable(const std::string& path, int error_number) {
  const std::string name = rules::printable(path);
  if (error_number == EACCES || error_number == EPERM) {
    return {
        api::ErrorCode::NotPermitted,
        fmt::format("you may not read {}: the audit log is for root and the group fwd-read", name),
        {}};
  }
  return {api::ErrorCode::NotFound,
          fmt::format("can't read {}: {}", name, std::generic_category().message(error_number)),
          {}};
}

std::expected<std::vector<RotatedFile>, api::Error> rotated_files(const std::string& path,
                                                                  std::optional<Time> since) {
  const fs::path whole(path);
  const fs::path folder = whole.has_parent_path() ? whole.parent_path() : fs::path(".");
  const std::string base = whole.filename().string();
  std::error_code error;
  std::vector<RotatedFile> found;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (!is_rotated_name(entry->path().filename().string(), base)) continue;
    if (since && !written_since(entry->path(), *since)) continue;
    auto first = first_sequence(entry->path().string());
    if (first) found.push_back({*first, entry->path().string()});
    // It may have got another name meanwhile.
    if (!first && first.error().code != api::ErrorCode::NotFound)
      return std::unexpected(std::move(first.error()));
  }
  if (error) return std::unexpected(unreadable(folder.string(), error.value()));
  std::ranges::sort(found, {},
                    [](const RotatedFile& file) { return std::tie(file.first, file.path); });
  return found;
}

std::expected<std::vector<std::string>, api::Error> in_order(std::vector<std::string> files) {
  std::vector<RotatedFile> order;
  for (std::string& file : files) {
    auto first = first_sequence(file);
    if (!first) return std::unexpected(std::move(first.error()));
    order.push_back({*first, std::move(file)});
  }
  std::ranges::stable_sort(order, {}, &RotatedFile::first);
  std::vector<std::string> sorted;
  sorted.reserve(order.size());
  for (RotatedFile& file : order) sorted.push_back(std::move(file.path));
  return sorted;
}

}  // namespace ctl::log

#include "fwd/policy/store.h"

#include <algorithm>
#include <filesystem>
#include <memory>

#include <fcntl.h>
#include <fmt/core.h>
#include <glob.h>
#include <sys/stat.h>

#include "fwd/files.h"
#include "fwd/log.h"
#include "fwd/unique_fd.h"

namespace fwd::policy {
namespace {

using ctl::api::ErrorCode;

struct GlobFree {
  void operator()(glob_t* found) const {
    globfree(found);
    delete found;
  }
};

std::string escape_glob(const std::string& path) {
  std::string escaped;
  for (const char c : path) {
    if (std::string_view("*?[\\").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

// An unprivileged daemon can't give files away. That loses nothing: who may rename in the folder
// may replace its files.
Result<void> keep_owner_and_mode(int fd, const struct stat& original) {
  if (fchown(fd, original.st_uid, original.st_gid) != 0 && errno != EPERM)
    return failed("keep the policy file's owner");
  if (fchmod(fd, original.st_mode & 07777) != 0) return failed("keep the policy file's mode");
  return {};
}

Result<void> fill(int fd, const std::string& text, const struct stat& original) {
  if (auto kept = keep_owner_and_mode(fd, original); !kept) return kept;
  if (auto written = write_all(fd, text); !written) return written;
  if (fsync(fd) != 0) return failed("sync");
  return {};
}

Error changed(const std::string& path) {
  return {ErrorCode::Refused,
          path +
              " was changed by hand since it was loaded: run `fwctl apply` on the policy or reload "
              "first",
          {}};
}

Error syntax_error(std::vector<rules::Diagnostic> found) {
  std::string message = found.front().message;
  return {ErrorCode::Syntax, std::move(message), std::move(found)};
}

}  // namespace

Draft::~Draft() {
  if (!temporary_.empty() && unlink(temporary_.c_str()) != 0) {
    log::warning("{}", SystemError{"remove " + temporary_, errno}.message());
  }
}

Result<void> Draft::publish() {
  if (rename(temporary_.c_str(), target_.c_str()) != 0) return failed("replace " + target_);
  temporary_.clear();
  // The new text is in force for everybody who reads the file: too late to call it a failure.
  if (auto synced = sync_directory(std::filesystem::path(target_).parent_path()); !synced) {
    log::warning("{}", synced.error().message());
  }
  return {};
}

Error PolicyStore::changed_by_hand() const {
  return changed(path_);
}

bool same(const rules::SourceTree& one, const rules::SourceTree& other) {
  const auto same_source = [](const rules::Source& a, const rules::Source& b) {
    return a.name == b.name && a.text == b.text;
  };
  return one.main.text == other.main.text &&
         std::ranges::equal(one.includes, other.includes, same_source);
}

PolicyStore::PolicyStore(std::string path)
    : path_(std::filesystem::absolute(std::move(path))),
      folder_(std::filesystem::path(path_).parent_path()),
      name_(std::filesystem::path(path_).filename()) {}

std::expected<rules::SourceTree, Error> PolicyStore::read() const {
  auto text = read_file(path_);
  if (text) return gather(std::move(*text));
  if (text.error().code != ENOENT) return internal(text.error());
  return std::unexpected(
      Error{ErrorCode::NotFound,
            fmt::format("there is no policy {}; a first one that keeps ssh open: "
                        "printf 'allow in ssh\\n' > {}",
                        path_, path_),
            {}});
}

Result<std::string> PolicyStore::read_main() const {
  auto text = read_file(path_);
  if (!text && text.error().code == ENOENT) return std::string();
  return text;
}

std::expected<rules::SourceTree, Error> PolicyStore::gather(std::string main_text) const {
  auto tree = rules::gather({name_, std::move(main_text)}, reader());
  if (!tree) return std::unexpected(syntax_error(std::move(tree.error())));
  return *std::move(tree);
}

rules::IncludeReader PolicyStore::reader() const {
  return [this](const std::string& pattern) { return find(pattern); };
}

std::expected<std::vector<rules::Source>, std::string> PolicyStore::find(
    const std::string& pattern) const {
  const std::unique_ptr<glob_t, GlobFree> found(new glob_t{});
  const std::string prefix = folder_ + "/";
  const auto give_up = [](const char*, int code) { return code == ENOENT ? 0 : 1; };
  const int status = glob((escape_glob(prefix) + pattern).c_str(), 0, give_up, found.get());
  if (status == GLOB_NOMATCH && rules::has_wildcards(pattern)) return {};
  if (status == GLOB_NOMATCH) return std::unexpected("there is no file " + prefix + pattern);
  if (status != 0) return std::unexpected("the folder of " + prefix + pattern + " can't be read");
  std::vector<rules::Source> sources;
  for (std::size_t i = 0; i < found->gl_pathc; ++i) {
    const std::string path = found->gl_pathv[i];
    auto text = read_file(path);
    if (!text) return std::unexpected(text.error().message());
    sources.push_back({path.substr(prefix.size()), std::move(*text)});
  }
  return sources;
}

std::expected<void, Error> PolicyStore::check_unchanged(const rules::SourceTree& loaded,
                                                        bool includes) const {
  if (!holds(path_, loaded.main.text).value_or(false)) return std::unexpected(changed_by_hand());
  if (!includes) return {};  // nor need the text be searched for any
  const auto found = rules::gather_includes(loaded.main, reader());
  if (!found) return std::unexpected(syntax_error(found.error()));
  for (const rules::Source& include : loaded.includes) {
    const auto same = [&](const rules::Source& s) {
      return s.name == include.name && s.text == include.text;
    };
    if (std::ranges::none_of(*found, same))
      return std::unexpected(changed(folder_ + "/" + include.name));
  }
  if (found->size() != loaded.includes.size())
    return std::unexpected(changed("the set of includes"));
  return {};
}

Result<Draft> PolicyStore::prepare(const std::string& main_text) const {
  // A link stays one: what it points to is replaced.
  std::error_code error;
  const std::string target = std::filesystem::canonical(path_, error);
  if (error) return failed("find " + path_, error.value());
  struct stat original {};
  if (stat(target.c_str(), &original) != 0) return failed("look at " + target);

  std::string temporary = target + ".XXXXXX";
  const UniqueFd fd(mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.valid()) return failed("make a new file beside " + target);
  Draft draft(temporary, target);
  if (auto filled = fill(fd.get(), main_text, original); !filled) {
    return failed(temporary + ": " + filled.error().what, filled.error().code);
  }
  return draft;
}

}  // namespace fwd::policy

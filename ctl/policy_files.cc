#include "ctl/policy_files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/core.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules/parser.h"
#include "rules/resolver.h"
#include "rules/rule_set.h"
#include "rules/text.h"

namespace ctl {
namespace {

using api::Error;
using api::ErrorCode;

class File {
 public:
  explicit File(const std::string& path)
      : owned_(path != "-"),
        fd_(owned_ ? ::open(path.c_str(), O_RDONLY | O_CLOEXEC) : STDIN_FILENO) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (owned_ && fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }

 private:
  bool owned_;
  int fd_;
};

// Or errno. Of an endless file not much more than the most that a policy may have.
std::expected<std::string, int> read_file(const std::string& path) {
  const File file(path);
  if (file.fd() < 0) return std::unexpected(errno);
  std::string text;
  struct stat about {};
  if (::fstat(file.fd(), &about) == 0 && about.st_size > 0)
    text.reserve(std::min<std::size_t>(static_cast<std::size_t>(about.st_size), rules::kMaxText));
  std::array<char, 65536> buffer;
  while (text.size() <= rules::kMaxText) {
    const ssize_t got = ::read(file.fd(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(errno);
    if (got == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

std::string cannot_read(const std::string& path, int code) {
  return fmt::format("can't read {}: {}", rules::printable(path),
                     std::generic_category().message(code));
}

struct FreeGlob {
  void operator()(glob_t* found) const { ::globfree(found); }
};

// A folder's name as it is, whatever characters it has.
std::string escape_pattern(const std::string& path) {
  std::string result;
  for (const char c : path) {
    if (c == '*' || c == '?' || c == '[' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

// A folder that isn't there has no files. Other errors end the search.
int give_up_unless_missing(const char*, int code) {
  return code == ENOENT ? 0 : 1;
}

// The paths below `folder` that the pattern finds, in the order of their bytes.
std::expected<std::vector<std::string>, std::string> find_files(const std::string& folder,
                                                                const std::string& pattern) {
  glob_t storage{};
  const int failed =
      ::glob((escape_pattern(folder) + pattern).c_str(), 0, give_up_unless_missing, &storage);
  const std::unique_ptr<glob_t, FreeGlob> found(&storage);
  if (failed == GLOB_NOMATCH) return {};
  if (failed != 0)
    return std::unexpected(cannot_read(folder + pattern, failed == GLOB_NOSPACE ? ENOMEM : errno));
  return std::vector<std::string>(storage.gl_pathv, storage.gl_pathv + storage.gl_pathc);
}

std::expected<std::vector<rules::Source>, std::string> read_includes(const std::string& folder,
                                                                     const std::string& pattern) {
  const auto paths = find_files(folder, pattern);
  if (!paths) return std::unexpected(paths.error());
  std::vector<rules::Source> sources;
  for (const std::string& path : *paths) {
    auto text = read_file(path);
    if (!text) return std::unexpected(cannot_read(path, text.error()));
    sources.push_back({path.substr(folder.size()), *std::move(text)});
  }
  return sources;
}

Error syntax_error(std::vector<rules::Diagnostic> diagnostics) {
  std::string message = diagnostics.front().message;
  return {ErrorCode::Syntax, std::move(message), std::move(diagnostics)};
}

}  // namespace

std::expected<rules::SourceTree, Error> read_policy(const std::string& path) {
  auto text = read_file(path);
  if (!text) {
    const ErrorCode code = text.error() == EACCES ? ErrorCode::NotPermitted : ErrorCode::NotFound;
    return std::unexpected(Error{code, cannot_read(path, text.error()), {}});
  }
  const std::size_t name_begin = path.rfind('/') + 1;  // 0 where there is no slash
  const std::string folder = path.substr(0, name_begin);
  const std::string name = path == "-" ? "standard input" : path.substr(name_begin);
  auto tree = rules::gather({name, *std::move(text)}, [&](const std::string& pattern) {
    return read_includes(folder, pattern);
  });
  if (!tree) return std::unexpected(syntax_error(std::move(tree.error())));
  return *std::move(tree);
}

rules::Services read_services(const std::string& path) {
  return rules::parse_services(read_file(path).value_or(std::string()));
}

std::expected<api::Checked, Error> check_policy(const rules::SourceTree& tree,
                                                const rules::Services& services) {
  auto document = rules::parse(tree);
  if (!document) return std::unexpected(syntax_error(std::move(document.error())));
  auto resolved = rules::resolve(*document, services);
  if (!resolved) return std::unexpected(syntax_error(std::move(resolved.error())));
  const rules::Policy& policy = resolved->policy;
  auto broken = rules::check_expects(policy, resolved->outline.expects, rules::compile(policy));
  if (!broken.empty()) return std::unexpected(syntax_error(std::move(broken)));
  return api::Checked{policy.rules.size(), policy.sets.size(), std::move(resolved->warnings)};
}

std::expected<void, Error> check_sendable(const rules::Source& source) {
  if (auto fault = rules::check_text(source))
    return std::unexpected(syntax_error({*std::move(fault)}));
  return {};
}

}  // namespace ctl

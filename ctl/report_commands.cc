// fwctl report: what the audit log adds up to, as a page or in short.
#include <cerrno>
#include <cstdio>
#include <system_error>

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include "ctl/command_list.h"
#include "ctl/command_parts.h"
#include "ctl/log/files.h"
#include "ctl/log/reader.h"
#include "ctl/report/brief.h"
#include "ctl/report/page.h"
#include "ctl/report/tally.h"

namespace ctl {
namespace {

struct Sources {
  std::vector<std::string> files;
  std::string notes;
};

// Those named; else the whole log, as far as it was written to in the report's time.
std::expected<Sources, api::Error> sources_of(const Context& context, const report::Range& range) {
  if (context.words.size() > 1) {
    auto sorted = log::in_order({context.words.begin() + 1, context.words.end()});
    if (!sorted) return std::unexpected(std::move(sorted.error()));
    return Sources{*std::move(sorted), {}};
  }
  const std::string path = log_path(context);
  auto rotated = log::rotated_files(path, range.from);
  if (!rotated) return std::unexpected(std::move(rotated.error()));
  Sources sources;
  for (log::RotatedFile& file : *rotated) sources.files.push_back(std::move(file.path));
  sources.files.push_back(path);
  return sources;
}

// A file that can't be read to its end is told of, and the others count.
std::expected<void, api::Error> read_file(const std::string& path, report::Tally& tally,
                                          std::string& notes) {
  auto reader = log::Reader::open(path);
  if (!reader) return std::unexpected(std::move(reader.error()));
  while (true) {
    const auto line = reader->next();
    if (!line) {
      notes +=
          fmt::format("fwctl: {}: what follows in this file is left out\n", line.error().message);
      return {};
    }
    if (line->empty()) return {};
    tally.take(*line);
  }
}

api::Error cannot_write(const std::string& path, int code) {
  return {code == EACCES || code == EPERM ? api::ErrorCode::NotPermitted : api::ErrorCode::Refused,
          fmt::format("can't write {}: {}", one_line(path), std::generic_category().message(code)),
          {}};
}

// Whole or not at all: beside the file first, then in its place.
std::expected<void, api::Error> replace_file(const std::string& path, const std::string& text) {
  const std::string beside = fmt::format("{}.{}.tmp", path, ::getpid());
  const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd < 0) return std::unexpected(cannot_write(path, errno));
  std::FILE* const file = ::fdopen(fd, "wb");
  bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size() &&
                 std::fflush(file) == 0 && ::fsync(fd) == 0;
  int code = errno;
  if (std::fclose(file) != 0 && written) {
    written = false;
    code = errno;
  }
  if (written && std::rename(beside.c_str(), path.c_str()) == 0) return {};
  if (written) code = errno;
  ::unlink(beside.c_str());
  return std::unexpected(cannot_write(path, code));
}

std::expected<report::Range, api::Error> range_of(const Context& context) {
  const auto from = moment_option(context, "--since");
  if (!from) return std::unexpected(from.error());
  const auto to = moment_option(context, "--until");
  if (!to) return std::unexpected(to.error());
  if (*from && to->value_or(now()) < **from)
    return std::unexpected(
        usage_error("the report would end before it begins: see --since and --until"));
  report::Range range{*from, *to};
  if (range.from && !range.to) range.to = now();
  return range;
}

}  // namespace

Result make_report(const Context& context) {
  const auto range = range_of(context);
  if (!range) return std::unexpected(range.error());
  auto sources = sources_of(context, *range);
  if (!sources) return std::unexpected(std::move(sources.error()));
  report::Tally tally(*range);
  for (const std::string& file : sources->files) {
    if (auto read = read_file(file, tally, sources->notes); !read)
      return std::unexpected(std::move(read.error()));
  }
  const report::Report result = tally.finish();
  const auto html = context.options.find("--html");
  if (html == context.options.end())
    return Output{
        context.json ? report::render_json(result) : report::render_text(result, context.look),
        std::move(sources->notes), 0};
  const std::string page = report::render_page(result, now());
  if (html->second == "-") return Output{page, std::move(sources->notes), 0};
  if (auto written = replace_file(html->second, page); !written)
    return std::unexpected(std::move(written.error()));
  return Output{
      context.json ? report::render_json(result) : one_line(report::summary(result)) + '\n',
      std::move(sources->notes), 0};
}

}  // namespace ctl

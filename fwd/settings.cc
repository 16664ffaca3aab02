// Every key of fwd.toml is one row of kKeys; manual: man/fwd.toml.5.
#include "fwd/settings.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <filesystem>
#include <limits>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "fwd/files.h"

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace fwd {
namespace {

constexpr std::size_t kLongestSocketPath = 107;  // unix(7)
constexpr std::string_view kSocketAllowed =
    "the absolute path of a socket, of at most 107 characters, or \"\"";

// Whether the value was of the right type and in range; only then is it set.
using Setter = bool (*)(Settings&, const toml::node&);

template <typename Integer>
bool set_integer(Integer& target, const toml::node& node, std::int64_t least, std::int64_t most) {
  const auto value = node.value_exact<std::int64_t>();
  if (!value || *value < least || *value > most) return false;
  target = static_cast<Integer>(*value);
  return true;
}

bool set_queues(Settings& settings, const toml::node& node) {
  const auto text = node.value_exact<std::string>();
  const auto range = text ? parse_queues(*text) : std::nullopt;
  if (!range) return false;
  settings.queues = *range;
  return true;
}

bool set_ct_mark_mask(Settings& settings, const toml::node& node) {
  std::uint32_t mask = 0;
  if (!set_integer(mask, node, 0, std::numeric_limits<std::uint32_t>::max())) return false;
  if (mask == 0 || mask >> std::countr_zero(mask) != 0xff) return false;
  settings.ct_mark.mask = mask;
  return true;
}

bool set_lease(Settings& settings, const toml::node& node) {
  std::int64_t milliseconds = 0;
  if (!set_integer(milliseconds, node, 300, 60'000)) return false;
  settings.lease = std::chrono::milliseconds(milliseconds);
  return true;
}

bool set_ring_records(Settings& settings, const toml::node& node) {
  std::size_t records = 0;
  if (!set_integer(records, node, 64, 1 << 20) || !std::has_single_bit(records)) return false;
  settings.audit.ring_records = records;
  return true;
}

bool set_flag(bool& target, const toml::node& node) {
  const auto value = node.value_exact<bool>();
  if (value) target = *value;
  return value.has_value();
}

bool set_format(Settings& settings, const toml::node& node) {
  const auto text = node.value_exact<std::string>();
  if (text != "ecs" && text != "eve") return false;
  settings.audit.format = text == "eve" ? audit::Format::Eve : audit::Format::Ecs;
  return true;
}

bool set_socket(std::string& target, const toml::node& node) {
  const auto text = node.value_exact<std::string>();
  if (!text || (!text->empty() && (!text->starts_with('/') || text->size() > kLongestSocketPath)))
    return false;
  target = *text;
  return true;
}

bool set_facility(Settings& settings, const toml::node& node) {
  struct Name {
    std::string_view name;
    std::uint8_t number;
  };
  static constexpr std::array kNames = {
      Name{"user", 1},    Name{"daemon", 3},  Name{"auth", 4},    Name{"authpriv", 10},
      Name{"local0", 16}, Name{"local1", 17}, Name{"local2", 18}, Name{"local3", 19},
      Name{"local4", 20}, Name{"local5", 21}, Name{"local6", 22}, Name{"local7", 23}};
  const auto text = node.value_exact<std::string>();
  const auto* found = std::ranges::find(kNames, text.value_or(""), &Name::name);
  if (found == kNames.end()) return false;
  settings.audit.syslog_facility = found->number;
  return true;
}

bool set_full_disk(Settings& settings, const toml::node& node) {
  const auto text = node.value_exact<std::string>();
  if (text != "continue" && text != "block") return false;
  settings.audit.block_when_full = text == "block";
  return true;
}

bool set_group(std::string& target, const toml::node& node) {
  const auto text = node.value_exact<std::string>();
  if (!text || text->empty()) return false;
  target = *text;
  return true;
}

bool set_metrics_listen(Settings& settings, const toml::node& node) {
  const auto text = node.value_exact<std::string>();
  settings.metrics.listen = text ? metrics::parse_endpoint(*text) : std::nullopt;
  return settings.metrics.listen.has_value();
}

// The collector reads files of that name alone.
bool set_metrics_textfile(Settings& settings, const toml::node& node) {
  const auto text = node.value_exact<std::string>();
  if (!text || !text->starts_with('/') || !text->ends_with(".prom")) return false;
  settings.metrics.textfile = *text;
  return true;
}

bool set_metrics_textfile_seconds(Settings& settings, const toml::node& node) {
  std::int64_t seconds = 0;
  if (!set_integer(seconds, node, 1, 3600)) return false;
  settings.metrics.textfile_interval = std::chrono::seconds(seconds);
  return true;
}

bool set_log_level(Settings& settings, const toml::node& node) {
  struct Name {
    std::string_view name;
    LogLevel level;
  };
  static constexpr std::array kNames = {
      Name{"debug", LogLevel::Debug}, Name{"info", LogLevel::Info},
      Name{"warning", LogLevel::Warning}, Name{"error", LogLevel::Error}};
  const auto text = node.value_exact<std::string>();
  const auto* found = std::ranges::find(kNames, text.value_or(""), &Name::name);
  if (found == kNames.end()) return false;
  settings.log_level = found->level;
  return true;
}

struct Key {
  std::string_view name;
  std::string_view allowed;
  Setter set;
};

constexpr std::array kKeys = {
    Key{"audit.flows", "true or false",
        [](Settings& s, const toml::node& n) { return set_flag(s.audit.flows, n); }},
    Key{"audit.fold_above", "a number from 0 to 1000000",
        [](Settings& s, const toml::node& n) {
          return set_integer(s.audit.fold_above, n, 0, 1'000'000);
        }},
    Key{"audit.format", R"("ecs" or "eve")", set_format},
    Key{"audit.full_disk", R"("continue" or "block")", set_full_disk},
    Key{"audit.journal", kSocketAllowed,
        [](Settings& s, const toml::node& n) { return set_socket(s.audit.journal, n); }},
    Key{"audit.keep", "a number from 1 to 1000",
        [](Settings& s, const toml::node& n) { return set_integer(s.audit.keep, n, 1, 1000); }},
    Key{"audit.ring_records", "a power of two from 64 to 1048576", set_ring_records},
    Key{"audit.rotate_size", "a number of bytes from 0 to 1099511627776",
        [](Settings& s, const toml::node& n) {
          return set_integer(s.audit.rotate_size, n, 0, std::int64_t{1} << 40);
        }},
    Key{"audit.syslog", kSocketAllowed,
        [](Settings& s, const toml::node& n) { return set_socket(s.audit.syslog, n); }},
    Key{"audit.syslog_facility", R"("auth", "authpriv", "daemon", "user" or "local0" to "local7")",
        set_facility},
    Key{"control.admin_group", "the name of a group",
        [](Settings& s, const toml::node& n) { return set_group(s.control.admin_group, n); }},
    Key{"control.read_group", "the name of a group",
        [](Settings& s, const toml::node& n) { return set_group(s.control.read_group, n); }},
    Key{"ct_mark_mask", "a number with exactly eight adjacent bits set, such as 0xff000000",
        set_ct_mark_mask},
    Key{"lease_ms", "a number from 300 to 60000", set_lease},
    Key{"log_level", R"("debug", "info", "warning" or "error")", set_log_level},
    Key{"metrics.listen",
        R"(a loopback address with a port, such as "127.0.0.1:9472" or "[::1]:9472")",
        set_metrics_listen},
    Key{"metrics.textfile", "an absolute path that ends in .prom", set_metrics_textfile},
    Key{"metrics.textfile_seconds", "a number from 1 to 3600", set_metrics_textfile_seconds},
    Key{"nflog_group", "a number from 1 to 65535",
        [](Settings& s, const toml::node& n) { return set_integer(s.nflog_group, n, 1, 65535); }},
    Key{"queue_length", "a number from 64 to 1048576",
        [](Settings& s, const toml::node& n) {
          return set_integer(s.queue_length, n, 64, 1 << 20);
        }},
    Key{"queues", R"("FIRST:LAST", at most 64 queues, such as "0:3")", set_queues},
    Key{"shed_above", "a number from 0 to 10000000",
        [](Settings& s, const toml::node& n) {
          return set_integer(s.shed_above, n, 0, 10'000'000);
        }},
};

std::string known_keys() {
  std::array<std::string_view, kKeys.size()> names;
  std::ranges::transform(kKeys, names.begin(), &Key::name);
  return fmt::format("{}", fmt::join(names, ", "));
}

class Reader {
 public:
  explicit Reader(const std::string& name) : name_(name) {}

  Result<void> read(const toml::table& table, const std::string& prefix, Settings& settings) const {
    for (const auto& [key, node] : table) {
      const std::string path = prefix + std::string(key.str());
      if (auto read_one = entry(path, node, settings); !read_one) return read_one;
    }
    return {};
  }

 private:
  Result<void> entry(const std::string& path, const toml::node& node, Settings& settings) const {
    const auto* key = std::ranges::find(kKeys, path, &Key::name);
    if (key != kKeys.end()) {
      if (key->set(settings, node)) return {};
      return error(node, fmt::format("\"{}\" must be {}", path, key->allowed));
    }
    const bool section =
        std::ranges::any_of(kKeys, [&](const Key& k) { return k.name.starts_with(path + "."); });
    if (!section)
      return error(node, fmt::format("unknown key \"{}\" (known: {})", path, known_keys()));
    if (const toml::table* table = node.as_table()) return read(*table, path + ".", settings);
    return error(node, fmt::format("\"{}\" must be a section: [{}]", path, path));
  }

  Result<void> error(const toml::node& node, const std::string& message) const {
    return failed(fmt::format("{}:{}: {}", name_, node.source().begin.line, message), 0);
  }

  const std::string& name_;
};

}  // namespace

std::optional<kernel::QueueRange> parse_queues(std::string_view text) {
  kernel::QueueRange range;
  const char* const end = text.data() + text.size();
  auto [after_first, first_error] = std::from_chars(text.data(), end, range.first);
  if (first_error != std::errc{}) return std::nullopt;
  range.last = range.first;
  if (after_first != end) {
    if (*after_first != ':') return std::nullopt;
    auto [after_last, last_error] = std::from_chars(after_first + 1, end, range.last);
    if (last_error != std::errc{} || after_last != end) return std::nullopt;
  }
  if (range.last < range.first || range.count() > kMostQueues) return std::nullopt;
  return range;
}

Settings default_settings() {
  Settings settings;
  const unsigned processors = std::clamp(std::thread::hardware_concurrency(), 1U, kMostQueues);
  settings.queues.last = static_cast<std::uint16_t>(processors - 1);
  return settings;
}

kernel::TableSettings table_settings(const Settings& settings, const std::string& state_directory) {
  return {.queues = settings.queues,
          .ct_mark = settings.ct_mark,
          .nflog_group = settings.nflog_group,
          .state_directory = std::filesystem::absolute(state_directory)};
}

Result<Settings> parse_settings(std::string_view text, const std::string& name) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    return failed(fmt::format("{}:{}: {}", name, parsed.error().source().begin.line,
                              parsed.error().description()),
                  0);
  }
  Settings settings = default_settings();
  if (auto read = Reader(name).read(parsed.table(), "", settings); !read)
    return std::unexpected(read.error());
  return settings;
}

Result<Settings> read_settings(const std::string& path) {
  const auto text = read_file(path);
  if (text) return parse_settings(*text, path);
  if (text.error().code == ENOENT) return default_settings();
  return std::unexpected(text.error());
}

}  // namespace fwd

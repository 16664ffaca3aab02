#include "ctl/api/policy.h"

#include "ctl/api/diagnostic_fields.h"
#include "ctl/api/plain_json.h"

namespace ctl::api {

template <>
struct Fields<rules::Source> {
  static constexpr std::tuple kFields{Field{"name", &rules::Source::name},
                                      Field{"text", &rules::Source::text}};
};
template <>
inline constexpr bool kIsRequest<rules::Source> = true;

template <>
struct Fields<Sources> {
  static constexpr std::tuple kFields{Field{"main", &Sources::main},
                                      Field{"includes", &Sources::includes}};
};
template <>
inline constexpr bool kIsRequest<Sources> = true;

// A policy's text may have 16 MB: through the tree it takes a third of a second, each way.
template <>
struct Shortcut<Sources> {
  static std::optional<std::string> encode(const Sources& sources) {
    std::string text;
    text.reserve(sources.main.text.size() + sources.main.text.size() / 16);  // some escapes
    const auto append = [&](std::string_view before, const rules::Source& source) {
      text.append(before).append(R"({"name":)");
      if (!append_plain(text, source.name)) return false;
      text.append(R"(,"text":)");
      if (!append_plain(text, source.text)) return false;
      text += '}';
      return true;
    };
    if (!append(R"({"main":)", sources.main)) return std::nullopt;
    std::string_view before = R"(,"includes":[)";
    for (const rules::Source& include : sources.includes) {
      if (!append(before, include)) return std::nullopt;
      before = ",";
    }
    text.append(sources.includes.empty() ? before : "").append("]}");
    return text;
  }

  // Only what encode() above has written.
  static std::optional<Sources> decode(std::string_view text) {
    Sources sources;
    PlainReader reader(text);
    const auto read = [&](std::string_view before, rules::Source& source) {
      return reader.accept(before) && reader.accept(R"({"name":)") && reader.string(source.name) &&
             reader.accept(R"(,"text":)") && reader.string(source.text) && reader.accept("}");
    };
    if (!read(R"({"main":)", sources.main) || !reader.accept(R"(,"includes":[)"))
      return std::nullopt;
    while (!reader.accept("]")) {
      const std::string_view before = sources.includes.empty() ? "" : ",";
      if (!read(before, sources.includes.emplace_back())) return std::nullopt;
    }
    if (!reader.accept("}") || !reader.at_end()) return std::nullopt;
    return sources;
  }
};

template <>
struct Fields<PolicyText> {
  static constexpr std::tuple kFields{Field{"sources", &PolicyText::sources},
                                      Field{"hash", &PolicyText::hash}};
};

template <>
struct Fields<Checked> {
  static constexpr std::tuple kFields{Field{"rules", &Checked::rules},
                                      Field{"sets", &Checked::sets},
                                      Field{"warnings", &Checked::warnings}};
};

template <>
struct Fields<Applied> {
  static constexpr std::tuple kFields{
      Field{"generation", &Applied::generation}, Field{"rules", &Applied::rules},
      Field{"warnings", &Applied::warnings}, Field{"already", &Applied::already},
      Field{"cut", &Applied::cut}};
};

template <>
struct Fields<Connection> {
  static constexpr std::tuple kFields{
      Field{"direction", &Connection::direction}, Field{"protocol", &Connection::protocol},
      Field{"source", &Connection::source}, Field{"destination", &Connection::destination},
      Field{"rule", &Connection::rule}};
};

template <>
struct Fields<Diff> {
  static constexpr std::tuple kFields{
      Field{"removed", &Diff::removed},          Field{"added", &Diff::added},
      Field{"reordered", &Diff::reordered},      Field{"cut", &Diff::cut},
      Field{"connections", &Diff::connections},  Field{"warnings", &Diff::warnings},
      Field{"text_differs", &Diff::text_differs}};
};

template <>
struct Names<SetKind> {
  static constexpr std::array<std::string_view, 2> kNames{"addresses", "ports"};
  static_assert(static_cast<int>(SetKind::Addresses) == 0 && static_cast<int>(SetKind::Ports) == 1);
};

template <>
struct Fields<Set> {
  static constexpr std::tuple kFields{Field{"name", &Set::name}, Field{"kind", &Set::kind},
                                      Field{"members", &Set::members}, Field{"file", &Set::file},
                                      Field{"line", &Set::line}};
};

template <>
struct Fields<SetList> {
  static constexpr std::tuple kFields{Field{"sets", &SetList::sets}};
};

template <>
struct Fields<ChangeSet> {
  static constexpr std::tuple kFields{Field{"add", &ChangeSet::add},
                                      Field{"remove", &ChangeSet::remove}};
};
template <>
inline constexpr bool kIsRequest<ChangeSet> = true;

template <>
struct Fields<SetChanged> {
  static constexpr std::tuple kFields{
      Field{"set", &SetChanged::set}, Field{"entries", &SetChanged::entries},
      Field{"already", &SetChanged::already}, Field{"cut", &SetChanged::cut}};
};

template std::string encode(const Sources&);
template std::string encode(const PolicyText&);
template std::string encode(const Checked&);
template std::string encode(const Applied&);
template std::string encode(const Diff&);
template std::string encode(const Set&);
template std::string encode(const SetList&);
template std::string encode(const ChangeSet&);
template std::string encode(const SetChanged&);
template std::expected<Sources, std::string> decode(std::string_view);
template std::expected<PolicyText, std::string> decode(std::string_view);
template std::expected<Checked, std::string> decode(std::string_view);
template std::expected<Applied, std::string> decode(std::string_view);
template std::expected<Diff, std::string> decode(std::string_view);
template std::expected<Set, std::string> decode(std::string_view);
template std::expected<SetList, std::string> decode(std::string_view);
template std::expected<ChangeSet, std::string> decode(std::string_view);
template std::expected<SetChanged, std::string> decode(std::string_view);

}  // namespace ctl::api

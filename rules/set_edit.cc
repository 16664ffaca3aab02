#include "rules/set_edit.h"

#include <algorithm>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "rules/parser.h"
#include "rules/report.h"
#include "rules/set_resolver.h"
#include "rules/suggest.h"
#include "rules/words.h"

namespace rules {
namespace {

std::expected<const ast::Set*, Diagnostic> find_set(const ast::Document& document,
                                                    std::string_view name) {
  Nearest nearest(name);
  for (const ast::Statement& statement : document.statements) {
    const auto* set = std::get_if<ast::Set>(&statement);
    if (set == nullptr) continue;
    nearest.consider(set->name.text);
    if (set->name.text != name) continue;
    if (set->name.where.source == &document.sources->main) return set;
    return refuse(
        fmt::format("the set \"{}\" stands in an included file, which commands don't change", name),
        fmt::format("edit {} and apply the policy", set->name.where.source->name),
        locate(set->name.where));
  }
  return refuse(fmt::format("unknown set \"{}\"", name), nearest.hint());
}

// Members are compared by what they mean: 10.0.0.1 and 10.0.0.1/32 are one.
struct Member {
  std::optional<AddressRange> addresses;
  std::optional<PortRange> ports;

  bool operator==(const Member&) const = default;
  bool covers(const Member& other) const {
    if (addresses && other.addresses) {
      return addresses->contains(other.addresses->first) &&
             addresses->contains(other.addresses->last);
    }
    return ports && other.ports && ports->contains(other.ports->first) &&
           ports->contains(other.ports->last);
  }
};

Member read_member(std::string_view word) {
  if (looks_like_port(word)) {
    const auto ports = read_port_range(word);
    return {std::nullopt, ports ? std::optional(*ports) : std::nullopt};
  }
  const auto addresses = read_range(word);
  return {addresses ? std::optional(*addresses) : std::nullopt, std::nullopt};
}

// What `word` means as a member of the set, whose first member says what kind of set it is.
std::expected<Member, Diagnostic> check_member(const ast::Set& set, std::string_view word,
                                               const Services& services) {
  const std::string_view first = set.members.empty() ? word : set.members.front().text;
  const bool ports = looks_like_port(first);
  const Member member = read_member(word);
  if (ports ? member.ports.has_value() : member.addresses.has_value()) return member;
  const Fault fault = bad_member(word, ports, services);
  return refuse(fault.message, fault.hint);
}

std::string_view between(std::string_view text, std::size_t begin, std::size_t end) {
  return text.substr(begin, end - begin);
}

// The end of a member with the comma behind it, if there is one on its line.
std::size_t end_with_comma(std::string_view text, const ast::Word& member) {
  const std::size_t next = text.find_first_not_of(" \t", member.where.end());
  return next != std::string_view::npos && text[next] == ',' ? next + 1 : member.where.end();
}

bool has_comma(std::string_view text, const ast::Word& member) {
  return end_with_comma(text, member) != member.where.end();
}

std::size_t start_of_line(const ast::Word& word) {
  return word.where.offset - (word.where.column - 1);
}

std::size_t next_line(std::string_view text, std::size_t from) {
  const std::size_t newline = text.find('\n', from);
  return newline == std::string_view::npos ? text.size() : newline + 1;
}

// {} and { } become { MEMBER }; what else stands in the braces stays behind it.
std::string fill(std::string text, const ast::Set& set, std::string_view member) {
  const std::string_view inside = between(text, set.open.end(), set.close.begin());
  if (inside.find_first_not_of(" \t") == std::string_view::npos) {
    return text.replace(set.open.end(), inside.size(), fmt::format(" {} ", member));
  }
  return text.insert(set.open.end(), fmt::format(" {}", member));
}

// On a line of its own below the last member, indented like it, with a comma where the others have
// one.
std::string add_line(std::string text, const ast::Set& set, std::string_view member) {
  const ast::Word& last = set.members.back();
  const std::size_t line = start_of_line(last);
  const std::size_t below = next_line(text, last.where.end());
  const std::size_t indent_end = text.find_first_not_of(" \t", line);
  const bool crlf = below >= 2 && text[below - 2] == '\r';
  const bool trailing = has_comma(text, last);
  const bool commas = trailing || (set.members.size() > 1 && has_comma(text, set.members.front()));
  text.insert(below, fmt::format("{}{}{}{}", text.substr(line, indent_end - line), member,
                                 trailing ? "," : "", crlf ? "\r\n" : "\n"));
  if (commas && !trailing) text.insert(last.where.end(), ",");
  return text;
}

// Behind the last member on its line, with what stands between the first two.
std::string add_inline(std::string text, const ast::Set& set, std::string_view member) {
  const ast::Word& last = set.members.back();
  std::string separator = ", ";
  if (set.members.size() > 1 && set.members[0].where.line == set.members[1].where.line) {
    separator = between(text, set.members[0].where.end(), set.members[1].where.begin());
  }
  const bool trailing = has_comma(text, last);
  const std::size_t at = trailing ? end_with_comma(text, last) : last.where.end();
  return text.insert(
      at, trailing ? fmt::format(" {},", member) : fmt::format("{}{}", separator, member));
}

// Takes member `index` out, with its comma, and with its line if nothing else stands there.
std::string take_out(std::string text, const ast::Set& set, std::size_t index) {
  const ast::Word& member = set.members[index];
  const std::uint32_t line = member.where.line;
  const bool before = index > 0 && set.members[index - 1].where.line == line;
  const bool after = index + 1 < set.members.size() && set.members[index + 1].where.line == line;
  const bool brace = set.open.line == line || set.close.line == line;
  if (before) {
    const std::size_t begin = set.members[index - 1].where.end();
    return text.erase(begin, member.where.end() - begin);
  }
  if (after) {
    return text.erase(member.where.begin(),
                      set.members[index + 1].where.begin() - member.where.begin());
  }
  if (!brace) {
    const std::size_t begin = start_of_line(member);
    return text.erase(begin, next_line(text, begin) - begin);
  }
  const bool alone = set.open.line == set.close.line;
  if (alone) return text.replace(set.open.end(), set.close.begin() - set.open.end(), " ");
  return text.erase(member.where.begin(), end_with_comma(text, member) - member.where.begin());
}

// Text unchanged if there is nothing to take out. One occurrence at a time: a member may be listed
// more than once.
EditedText remove_once(const SourceTree& tree, std::string_view name, std::string_view word,
                       const Services& services) {
  const auto document = parse(tree);
  if (!document) return std::unexpected(document.error().front());
  const auto found = find_set(*document, name);
  if (!found) return std::unexpected(found.error());
  const ast::Set& set = **found;
  const auto member = check_member(set, word, services);
  if (!member) return std::unexpected(member.error());
  for (std::size_t i = 0; i < set.members.size(); ++i) {
    if (read_member(set.members[i].text) == *member) return take_out(tree.main.text, set, i);
  }
  for (const ast::Word& known : set.members) {
    if (!read_member(known.text).covers(*member)) continue;
    return refuse(fmt::format("\"{}\" isn't a member by itself: {} holds it", word, known.text),
                  fmt::format("remove {} and add what shall stay", known.text),
                  locate(known.where));
  }
  return tree.main.text;
}

}  // namespace

EditedText add_member(const SourceTree& tree, std::string_view name, std::string_view word,
                      const Services& services) {
  const auto document = parse(tree);
  if (!document) return std::unexpected(document.error().front());
  const auto found = find_set(*document, name);
  if (!found) return std::unexpected(found.error());
  const ast::Set& set = **found;
  const auto member = check_member(set, word, services);
  if (!member) return std::unexpected(member.error());
  const std::string& text = tree.main.text;
  for (const ast::Word& known : set.members) {
    if (read_member(known.text) == *member) return text;
  }
  if (set.members.empty()) return fill(text, set, word);
  const bool own_line = set.members.back().where.line != set.close.line &&
                        set.members.back().where.line != set.open.line;
  return own_line ? add_line(text, set, word) : add_inline(text, set, word);
}

EditedText remove_member(const SourceTree& tree, std::string_view name, std::string_view word,
                         const Services& services) {
  SourceTree current = tree;
  for (;;) {
    auto shorter = remove_once(current, name, word, services);
    if (!shorter || *shorter == current.main.text) return shorter;
    current.main.text = *std::move(shorter);
  }
}

}  // namespace rules

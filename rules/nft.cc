#include "rules/nft.h"

#include <array>
#include <string_view>

#include <fmt/core.h>

namespace rules::nft {
namespace {

constexpr std::array kFieldNames = std::to_array<std::string_view>(
    {"iif",           "oif",       "iifname",      "oifname",      "meta nfproto",  "meta l4proto",
     "meta priority", "ct state",  "ct direction", "ct mark",      "ip saddr",      "ip daddr",
     "ip ttl",        "ip6 saddr", "ip6 daddr",    "ip6 hoplimit", "th sport",      "th dport",
     "icmp type",     "icmp code", "tcp flags",    "ip frag-off",  "frag frag-off", "rt type"});
static_assert(kFieldNames.size() == static_cast<std::size_t>(Field::Ip6RoutingType) + 1);

std::string_view name(Field field) {
  return kFieldNames[static_cast<std::size_t>(field)];
}

std::string text(const Value& value, bool hex = false) {
  if (const auto* address = std::get_if<Address>(&value)) return to_string(*address);
  if (const auto* string = std::get_if<std::string>(&value)) return fmt::format("\"{}\"", *string);
  const std::uint32_t number = std::get<std::uint32_t>(value);
  return hex ? fmt::format("{:#x}", number) : fmt::format("{}", number);
}

std::string text(const KeyPart& part) {
  if (!part.bits) return std::string(name(part.field));
  return fmt::format("{} & /{}", name(part.field), *part.bits);
}

template <typename Items, typename Text>
std::string join(const Items& items, const char* separator, Text text_of) {
  std::string out;
  for (const auto& item : items) {
    if (!out.empty()) out += separator;
    out += text_of(item);
  }
  return out;
}

struct Dump {
  std::string operator()(const Compare& compare) const {
    const char* relation = compare.equal ? "" : "!= ";
    if (!compare.mask)
      return fmt::format("{} {}{}", name(compare.field), relation, text(compare.value));
    return fmt::format("{} & {:#x} {} {}", name(compare.field), *compare.mask,
                       compare.equal ? "==" : "!=", text(compare.value, true));
  }
  std::string operator()(const Between& between) const {
    return fmt::format("{} {}-{}", name(between.field), text(between.first), text(between.last));
  }
  std::string operator()(const Above& above) const {
    return fmt::format("{} > {:#x}", name(above.field), above.value);
  }
  std::string operator()(const Lookup& lookup) const {
    return fmt::format("{}{} {}@{}", name(lookup.field),
                       lookup.mask ? fmt::format(" & {:#x}", *lookup.mask) : "",
                       lookup.inverted ? "!= " : "", lookup.set);
  }
  std::string operator()(const Assign& assign) const {
    return fmt::format("{0} set {0} & {1:#x} | {2:#x}", name(assign.field), assign.keep,
                       assign.bits);
  }
  std::string operator()(const Count& count) const {
    return fmt::format("counter name {}", count.counter);
  }
  std::string operator()(const CountBy& count) const {
    return fmt::format("counter name {} map @{}", text(count.key), count.map);
  }
  std::string operator()(const VerdictBy& verdict) const {
    return fmt::format("{} vmap @{}",
                       join(verdict.key, " . ", [](const KeyPart& part) { return text(part); }),
                       verdict.map);
  }
  std::string operator()(const AssignBy& assign) const {
    return fmt::format("{} set {} map @{}", name(assign.field),
                       join(assign.key, " . ", [](const KeyPart& part) { return text(part); }),
                       assign.map);
  }
  std::string operator()(const LogTo& log) const {
    return fmt::format("log prefix \"{}\" group {} snaplen {}", log.prefix, log.group, log.snaplen);
  }
  std::string operator()(const Reject& reject) const {
    return reject.tcp_reset ? "reject with tcp reset" : "reject with icmpx admin-prohibited";
  }
  std::string operator()(const Queue& queue) const {
    return fmt::format("queue num {}-{} bypass,fanout", queue.first, queue.last);
  }
  std::string operator()(const Remember& remember) const {
    return fmt::format("{} @{} {{ {} timeout {}s{} }}", remember.refresh ? "update" : "add",
                       remember.set, name(remember.field), remember.timeout.count(),
                       remember.over ? fmt::format(" over {}", *remember.over) : "");
  }
  std::string operator()(const Verdict& verdict) const {
    switch (verdict.kind) {
      case Verdict::Kind::Accept:
        return "accept";
      case Verdict::Kind::Drop:
        return "drop";
      case Verdict::Kind::Return:
        return "return";
      case Verdict::Kind::Jump:
        return "jump " + verdict.chain;
      case Verdict::Kind::Goto:
        return "goto " + verdict.chain;
    }
    __builtin_unreachable();
  }
};

std::string dump(const Chain& chain) {
  std::string out = fmt::format("  chain {} {{\n", chain.name);
  if (chain.base) {
    out += fmt::format("    type filter hook {} priority {}; policy accept;\n",
                       chain.base->hook == BaseChain::Hook::Input ? "input" : "output",
                       chain.base->priority);
  }
  for (const Rule& rule : chain.rules) {
    out += "   ";
    for (const Statement& statement : rule.statements) out += " " + dump(statement);
    if (!rule.comment.empty()) out += fmt::format(" comment \"{}\"", rule.comment);
    out += "\n";
  }
  return out + "  }\n";
}

std::string dump(const FixedSet& set) {
  const auto member = [](const Interval& interval) {
    if (interval.first == interval.last) return text(interval.first);
    return fmt::format("{}-{}", text(interval.first), text(interval.last));
  };
  return fmt::format("  set {} {{ typeof {};{}{} elements = {{ {} }} }}\n", set.name, name(set.key),
                     set.ranges ? " flags interval;" : "",
                     set.size == 0 ? "" : fmt::format(" size {};", set.size),
                     join(set.members, ", ", member));
}

std::string dump(const Map& map) {
  constexpr std::array kKinds = std::to_array<std::string_view>({"jump ", "goto ", "", "", ""});
  constexpr std::array kTypes =
      std::to_array<std::string_view>({"verdict", "verdict", "counter", "meta priority", ""});
  const std::string_view kind = kKinds[static_cast<std::size_t>(map.to)];
  const auto element = [&](const Element& one) {
    const auto value = [](const Value& part) { return text(part, true); };
    std::string key = join(one.key, " . ", value);
    if (map.to == Map::To::Nothing) return key;
    if (map.to == Map::To::Number) return fmt::format("{} : {:#x}", key, one.number);
    return fmt::format("{} : {}{}", key, kind, one.target);
  };
  const auto field = [](Field key) { return std::string(name(key)); };
  if (map.to == Map::To::Nothing) {
    return fmt::format(
        "  set {} {{ typeof {};{} elements = {{ {} }} }}\n", map.name, join(map.key, " . ", field),
        map.size == 0 ? "" : fmt::format(" size {};", map.size), join(map.elements, ", ", element));
  }
  return fmt::format("  map {} {{ typeof {} : {}; elements = {{ {} }} }}\n", map.name,
                     join(map.key, " . ", field), kTypes[static_cast<std::size_t>(map.to)],
                     join(map.elements, ", ", element));
}

}  // namespace

std::string dump(const Statement& statement) {
  return std::visit(Dump{}, statement);
}

std::string dump(const Table& table) {
  std::string out = fmt::format("table inet {} {{\n", table.name);
  for (const std::string& counter : table.counters) out += fmt::format("  counter {}\n", counter);
  for (const Set& set : table.sets) {
    out += fmt::format("  set {} {{ typeof {}; size {}; flags {}timeout; }}\n", set.name,
                       name(set.key), set.size, set.dynamic ? "dynamic," : "");
  }
  for (const FixedSet& set : table.fixed_sets) out += dump(set);
  for (const Map& map : table.maps) out += dump(map);
  for (const Chain& chain : table.chains) out += dump(chain);
  return out + "}\n";
}

}  // namespace rules::nft

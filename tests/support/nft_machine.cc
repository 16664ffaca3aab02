#include "tests/support/nft_machine.h"

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace tests {
namespace {

using namespace rules::nft;

constexpr int kJumps = 16;  // NFT_JUMP_STACK_SIZE

// Nothing where the packet doesn't have the field, which ends the rule.
std::optional<Value> load(Field field, const MachineState& state) {
  const rules::Packet& packet = state.packet;
  const bool ipv4 = packet.family() == rules::Family::V4;
  const auto number = [](std::uint32_t value) { return Value{value}; };
  const auto if_has = [&](bool has, std::uint32_t value) {
    return has ? std::optional(number(value)) : std::nullopt;
  };
  const auto in = state.direction == rules::Direction::In;
  switch (field) {
    case Field::InputName:
      return in ? std::optional(Value{state.interface}) : std::nullopt;
    case Field::OutputName:
      return in ? std::nullopt : std::optional(Value{state.interface});
    case Field::NetworkProtocol:
      return number(ipv4 ? kIpv4 : kIpv6);
    case Field::TransportProtocol:
      return number(packet.protocol);
    case Field::Priority:
      return number(state.priority);
    case Field::CtState:
      return number(state.ct_state);
    case Field::CtDirection:
      return if_has(state.ct_state != state::kUntracked && state.ct_state != state::kInvalid,
                    state.ct_direction);
    case Field::CtMark:
      return if_has(state.ct_state != state::kUntracked && state.ct_state != state::kInvalid,
                    state.ct_mark);
    // The kernel reads whatever is there: who asks must know the family and the protocol.
    case Field::Ip4Source:
    case Field::Ip6Source:
      if (ipv4 != (field == Field::Ip4Source)) throw std::logic_error("source of the other family");
      return Value{packet.source};
    case Field::Ip4Destination:
    case Field::Ip6Destination:
      if (ipv4 != (field == Field::Ip4Destination))
        throw std::logic_error("destination of the other family");
      return Value{packet.destination};
    case Field::Ip4Ttl:
    case Field::Ip6HopLimit:
      if (ipv4 != (field == Field::Ip4Ttl)) throw std::logic_error("hop limit of the other family");
      return number(packet.hop_limit);
    case Field::SourcePort:
      return number(packet.has_ports ? packet.source_port : 0xdead);
    case Field::DestinationPort:
      return number(packet.has_ports ? packet.destination_port : 0xdead);
    case Field::IcmpType:
      return number(packet.has_icmp ? packet.icmp_type : 0xde);
    case Field::IcmpCode:
      return number(packet.has_icmp ? packet.icmp_code : 0xde);
    case Field::TcpFlags:
      return number(packet.tcp_flags);
    case Field::Ip4Fragment:
      return number(0);
    case Field::Ip6Fragment:
    case Field::Ip6RoutingType:
      return std::nullopt;  // no such header
    case Field::InputIndex:
    case Field::OutputIndex:
      return number(state.interface == "lo" ? 1 : 2);
  }
  throw std::logic_error("a field that the machine doesn't know");
}

std::string bytes_of(const Value& value) {
  if (const auto* name = std::get_if<std::string>(&value)) return *name + '\0';
  if (const auto* address = std::get_if<rules::Address>(&value)) return to_string(*address) + '\0';
  return std::to_string(std::get<std::uint32_t>(value)) + '\0';
}

Value masked(const Value& value, const std::optional<unsigned>& bits) {
  if (!bits) return value;
  if (const auto* address = std::get_if<rules::Address>(&value))
    return prefix_range(*address, *bits).first;
  return std::get<std::uint32_t>(value) & ~(~0U >> *bits);
}

std::optional<std::string> key_of(const std::vector<KeyPart>& parts, const MachineState& state) {
  std::string key;
  for (const KeyPart& part : parts) {
    const auto value = load(part.field, state);
    if (!value) return std::nullopt;
    key += bytes_of(masked(*value, part.bits));
  }
  return key;
}

bool has(const FixedSet& set, const Value& value) {
  const auto after = std::ranges::upper_bound(set.members, value, {}, &Interval::first);
  return after != set.members.begin() && value <= std::prev(after)->last;
}

}  // namespace

NftMachine::NftMachine(const Table& table) {
  for (const Chain& chain : table.chains) {
    if (!chains_.emplace(chain.name, &chain).second) throw std::logic_error("twice: " + chain.name);
  }
  for (const FixedSet& set : table.fixed_sets) sets_.emplace(set.name, &set);
  for (const Map& map : table.maps) {
    Index index{&map, {}};
    for (const Element& element : map.elements) {
      std::string key;
      for (const Value& value : element.key) key += bytes_of(value);
      if (!index.elements.emplace(key, &element).second)
        throw std::logic_error("a key twice in " + map.name);
    }
    maps_.emplace(map.name, std::move(index));
  }
}

NftMachine::End NftMachine::run(const std::string& chain, MachineState& state) const {
  switch (run_chain(chain, state, 0)) {
    case Step::Accept:
      return End::Accept;
    case Step::Drop:
      return End::Drop;
    default:
      return End::Fallthrough;
  }
}

NftMachine::Step NftMachine::run_chain(const std::string& chain, MachineState& state,
                                       int depth) const {
  if (depth > kJumps) throw std::logic_error("too deep");
  state.chains.push_back(chain);
  for (const Rule& rule : chains_.at(chain)->rules) {
    ++state.rules;
    switch (const Step step = run_rule(rule, state, depth)) {
      case Step::Go:
      case Step::Break:
        continue;
      case Step::Return:
        return Step::Go;
      default:
        return step;
    }
  }
  return Step::Go;
}

NftMachine::Step NftMachine::run_rule(const Rule& rule, MachineState& state, int depth) const {
  for (const Statement& statement : rule.statements) {
    const Step step = execute(statement, state, depth);
    if (step != Step::Go) return step;
  }
  return Step::Go;
}

// A jump goes on behind the rule; a goto behind the one that jumped here.
NftMachine::Step NftMachine::enter(Verdict::Kind kind, const std::string& chain,
                                   MachineState& state, int depth) const {
  const Step step = run_chain(chain, state, depth + 1);
  if (step == Step::Accept || step == Step::Drop) return step;
  return kind == Verdict::Kind::Jump ? Step::Break : Step::Return;
}

const Element* NftMachine::find(const std::string& map, const std::vector<KeyPart>& parts,
                                const MachineState& state) const {
  const auto& elements = maps_.at(map).elements;
  const auto key = key_of(parts, state);
  const auto found = key ? elements.find(*key) : elements.end();
  return found == elements.end() ? nullptr : found->second;
}

NftMachine::Step NftMachine::execute(const Statement& statement, MachineState& state,
                                     int depth) const {
  const auto when = [](bool holds) { return holds ? Step::Go : Step::Break; };
  if (const auto* compare = std::get_if<Compare>(&statement)) {
    auto value = load(compare->field, state);
    if (!value) return Step::Break;
    if (compare->mask) value = std::get<std::uint32_t>(*value) & *compare->mask;
    return when((*value == compare->value) == compare->equal);
  }
  if (const auto* between = std::get_if<Between>(&statement)) {
    const auto value = load(between->field, state);
    return when(value && between->first <= *value && *value <= between->last);
  }
  if (const auto* above = std::get_if<Above>(&statement))
    return when(std::get<std::uint32_t>(*load(above->field, state)) > above->value);
  if (const auto* lookup = std::get_if<Lookup>(&statement)) {
    auto value = load(lookup->field, state);
    if (value && lookup->mask) value = std::get<std::uint32_t>(*value) & *lookup->mask;
    if (const auto map = maps_.find(lookup->set); map != maps_.end()) {
      return when(value && map->second.elements.contains(bytes_of(*value)) != lookup->inverted);
    }
    if (!sets_.contains(lookup->set)) return when(lookup->inverted);  // a dynamic one: still empty
    return when(value && has(*sets_.at(lookup->set), *value) != lookup->inverted);
  }
  if (const auto* assign = std::get_if<Assign>(&statement)) {
    if (!load(assign->field, state)) return Step::Break;
    std::uint32_t& target = assign->field == Field::Priority ? state.priority : state.ct_mark;
    target = (target & assign->keep) | assign->bits;
    return Step::Go;
  }
  if (const auto* count = std::get_if<Count>(&statement)) {
    state.counted.push_back(count->counter);
    return Step::Go;
  }
  if (const auto* count = std::get_if<CountBy>(&statement)) {
    const Element* element = find(count->map, {count->key}, state);
    if (element == nullptr) return Step::Break;
    state.counted.push_back(element->target);
    return Step::Go;
  }
  if (const auto* verdict = std::get_if<VerdictBy>(&statement)) {
    const Element* element = find(verdict->map, verdict->key, state);
    if (element == nullptr) return Step::Break;
    const bool jump = maps_.at(verdict->map).map->to == Map::To::Jump;
    return enter(jump ? Verdict::Kind::Jump : Verdict::Kind::Goto, element->target, state, depth);
  }
  if (const auto* assign = std::get_if<AssignBy>(&statement)) {
    const Element* element = find(assign->map, assign->key, state);
    if (element == nullptr) return Step::Break;
    state.priority = element->number;
    state.priority_from_map = true;
    return Step::Go;
  }
  if (std::holds_alternative<LogTo>(statement)) return Step::Go;
  if (std::holds_alternative<Remember>(statement)) return Step::Break;  // as of the first try
  if (std::holds_alternative<Reject>(statement)) {
    state.rejected = true;
    return Step::Drop;
  }
  if (const auto* verdict = std::get_if<Verdict>(&statement)) {
    switch (verdict->kind) {
      case Verdict::Kind::Accept:
        return Step::Accept;
      case Verdict::Kind::Drop:
        return Step::Drop;
      case Verdict::Kind::Return:
        return Step::Return;
      case Verdict::Kind::Jump:
      case Verdict::Kind::Goto:
        return enter(verdict->kind, verdict->chain, state, depth);
    }
  }
  throw std::logic_error("a statement that the machine doesn't know: " + dump(statement));
}

}  // namespace tests

#include "rules/set_edit.h"

#include <utility>
#include <vector>

#include <fmt/core.h>

#include "rules/report.h"
#include "rules/set_resolver.h"
#include "rules/set_text.h"
#include "rules/suggest.h"
#include "rules/words.h"

namespace rules {
namespace {

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

bool meet(const AddressRange& one, const AddressRange& other) {
  return one.first <= other.last && other.first <= one.last;
}

std::expected<const NamedSet*, Diagnostic> find_set(const Policy& policy, std::string_view name) {
  const auto found = policy.sets.find(std::string(name));
  if (found == policy.sets.end()) {
    Nearest nearest(name);
    for (const auto& [known, set] : policy.sets) nearest.consider(known);
    return refuse(fmt::format("unknown set \"{}\"", name), nearest.hint());
  }
  const NamedSet& set = found->second;
  if (set.where.file == policy.sources->main.name) return &set;
  return refuse(
      fmt::format("the set \"{}\" stands in an included file, which commands don't change", name),
      fmt::format("edit {} and apply the policy", set.where.file), set.where);
}

class MemberEdit {
 public:
  MemberEdit(const Policy& policy, const NamedSet& set, const Services& services)
      : services_(services),
        text_(policy.sources->main, set.where.line),
        had_ports_(set.addresses == nullptr),
        addresses_(had_ports_ ? std::make_shared<const AddressSet>() : set.addresses) {}

  std::expected<void, Diagnostic> add(std::string_view word) {
    const auto member = check(word);
    if (!member) return std::unexpected(member.error());
    if (listed(*member)) return {};
    text_.append(word);
    changed_ = true;
    if (member->addresses) take(addresses_->with({*member->addresses}));
    return {};
  }

  std::expected<void, Diagnostic> remove(std::string_view word) {
    const auto member = check(word);
    if (!member) return std::unexpected(member.error());
    if (!may_have(*member)) return {};
    std::vector<AddressRange> others;  // that it shares addresses with
    std::optional<std::size_t> wider;
    bool found = false;
    for (std::size_t i = text_.size(); i-- > 0;) {
      const Member known = read_member(text_.member(i));
      if (known == *member) {
        text_.remove(i);
        found = true;
        if (wider) --*wider;
      } else if (known.covers(*member)) {
        wider = i;
      }
      if (known != *member && member->addresses && meet(*known.addresses, *member->addresses))
        others.push_back(*known.addresses);
    }
    if (wider) return held_by(*wider, word);
    if (!found) return {};
    changed_ = true;
    if (member->addresses) take(addresses_->without(*member->addresses).with(std::move(others)));
    return {};
  }

  std::optional<SetEdit> done() && {
    if (!changed_) return std::nullopt;
    const bool has_ports = text_.size() != 0 && looks_like_port(text_.member(0));
    SetEdit edit{std::move(text_).text(), nullptr};
    if (!had_ports_ && !has_ports) edit.addresses = std::move(addresses_);
    return edit;
  }

 private:
  // What `word` means as a member of the set, whose first member says what kind of set it is.
  std::expected<Member, Diagnostic> check(std::string_view word) const {
    const bool ports = looks_like_port(text_.size() == 0 ? word : text_.member(0));
    const Member member = read_member(word);
    if (ports ? member.ports.has_value() : member.addresses.has_value()) return member;
    const Fault fault = bad_member(word, ports, services_);
    return refuse(fault.message, fault.hint);
  }

  // To look through a million words takes a while.
  bool may_have(const Member& member) const {
    return !member.addresses || addresses_->contains(member.addresses->first);
  }

  bool listed(const Member& member) const {
    if (!may_have(member)) return false;
    for (std::size_t i = 0; i < text_.size(); ++i) {
      if (read_member(text_.member(i)) == member) return true;
    }
    return false;
  }

  std::unexpected<Diagnostic> held_by(std::size_t wider, std::string_view word) const {
    return refuse(
        fmt::format("\"{}\" isn't a member by itself: {} holds it", word, text_.member(wider)),
        fmt::format("remove {} and add what shall stay", text_.member(wider)), text_.where(wider));
  }

  void take(AddressSet addresses) {
    addresses_ = std::make_shared<const AddressSet>(std::move(addresses));
  }

  const Services& services_;
  SetText text_;
  bool had_ports_;
  std::shared_ptr<const AddressSet> addresses_;  // none where it had ports
  bool changed_ = false;
};

using Change = std::expected<void, Diagnostic> (MemberEdit::*)(std::string_view word);

EditedSet edit(const Policy& policy, std::string_view name, std::span<const std::string> members,
               const Services& services, Change change) {
  const auto set = find_set(policy, name);
  if (!set) return std::unexpected(set.error());
  MemberEdit edit(policy, **set, services);
  for (const std::string& member : members) {
    if (auto done = (edit.*change)(member); !done) return std::unexpected(std::move(done.error()));
  }
  return std::move(edit).done();
}

}  // namespace

EditedSet add_members(const Policy& policy, std::string_view set,
                      std::span<const std::string> members, const Services& services) {
  return edit(policy, set, members, services, &MemberEdit::add);
}

EditedSet remove_members(const Policy& policy, std::string_view set,
                         std::span<const std::string> members, const Services& services) {
  return edit(policy, set, members, services, &MemberEdit::remove);
}

}  // namespace rules

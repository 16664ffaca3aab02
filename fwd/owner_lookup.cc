#include "fwd/owner_lookup.h"

#include <memory>
#include <utility>

#include "fwd/files.h"
#include "fwd/log.h"

namespace fwd {
namespace {

bool has_sockets(const rules::Packet& packet) {
  return packet.protocol == rules::protocol::kTcp || packet.protocol == rules::protocol::kUdp;
}

void complain(const SystemError& error) {
  log::warning("audit: whose sockets they are can't be told: {}", error.message());
}

CgroupUnits host_units() {
  const auto mounts = read_file("/proc/self/mountinfo");
  const std::string mount = mounts ? cgroup2_mount(*mounts) : "";
  if (mount.empty())
    log::warning("audit: no cgroup2 hierarchy is mounted here, so no record can name a unit");
  return CgroupUnits(mount);
}

}  // namespace

OwnerLookup::OwnerLookup(Find find, CgroupUnits units, std::function<Clock::time_point()> now)
    : find_(std::move(find)), units_(std::move(units)), now_(std::move(now)) {}

audit::Owner OwnerLookup::of(const audit::VerdictRecord& record) {
  if (!record.judgement.decoded || !has_sockets(record.judgement.packet)) return {};
  const auto found = find(record);
  if (!found) return {};
  return {found->uid, found->cgroup ? units_.unit_of(*found->cgroup) : ""};
}

std::optional<kernel::SocketOwner> OwnerLookup::find(const audit::VerdictRecord& record) {
  if (const auto now = now_(); now - second_ >= kKept) {
    second_ = now;
    asked_ = 0;
    servers_.clear();
  }
  const engine::Judgement& judgement = record.judgement;
  if (judgement.direction == rules::Direction::Out) return ask(record);
  const Server server{judgement.packet.protocol, judgement.packet.destination,
                      judgement.packet.destination_port, record.interface_index};
  if (const auto known = servers_.find(server); known != servers_.end()) return known->second;
  const auto owner = ask(record);
  if (owner && servers_.size() < kMostKept) servers_.emplace(server, *owner);
  return owner;
}

std::optional<kernel::SocketOwner> OwnerLookup::ask(const audit::VerdictRecord& record) {
  if (asked_ >= kMostAsked) return std::nullopt;
  ++asked_;
  const engine::Judgement& judgement = record.judgement;
  return find_(judgement.packet, judgement.direction, record.interface_index);
}

OwnerLookup host_owners() {
  auto opened = kernel::SocketOwners::open();
  if (!opened) {
    complain(opened.error());
    return {[](const auto&...) { return std::nullopt; }, CgroupUnits("")};
  }
  auto sockets = std::make_shared<kernel::SocketOwners>(std::move(*opened));
  const auto find =
      [sockets, told = false](
          const rules::Packet& first, rules::Direction direction,
          std::uint32_t interface_index) mutable -> std::optional<kernel::SocketOwner> {
    auto found = sockets->find(first, direction, interface_index);
    if (found) return *found;
    if (!std::exchange(told, true)) complain(found.error());
    return std::nullopt;
  };
  return {find, host_units()};
}

}  // namespace fwd

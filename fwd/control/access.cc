#include "fwd/control/access.h"

#include <algorithm>
#include <array>

#include <fmt/core.h>
#include <grp.h>

namespace fwd::control {
namespace {

std::optional<gid_t> find_group(const std::string& name) {
  std::array<char, 1 << 16> buffer;
  group entry{};
  group* found = nullptr;
  if (getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 ||
      found == nullptr)
    return std::nullopt;
  return entry.gr_gid;
}

}  // namespace

bool Access::Grant::covers(const Peer& peer) const {
  if (everybody || (user && *user == peer.uid)) return true;
  return group && std::ranges::find(peer.groups, *group) != peer.groups.end();
}

Access Access::look_up(const ControlSettings& settings, uid_t own_user) {
  Access access;
  access.names_ = settings;
  access.grants_ = {
      Grant{.user = 0, .group = std::nullopt, .read = true, .change = true},
      Grant{.user = own_user, .group = std::nullopt, .read = true, .change = true},
      Grant{.user = std::nullopt,
            .group = find_group(settings.admin_group),
            .read = true,
            .change = true},
      Grant{.user = std::nullopt,
            .group = find_group(settings.read_group),
            .read = true,
            .change = false},
  };
  return access;
}

Access Access::all_read() {
  Access access;
  access.grants_ = {{.user = std::nullopt, .group = std::nullopt, .everybody = true, .read = true}};
  return access;
}

bool Access::may(const Peer& peer, Right right) const {
  return std::ranges::any_of(
      grants_, [&](const Grant& grant) { return grant.gives(right) && grant.covers(peer); });
}

std::string Access::refusal(const Peer& peer, Right right) const {
  if (right == Right::Change) {
    return fmt::format("uid {} may not change the firewall: that is for root and the group {}",
                       peer.uid, names_.admin_group);
  }
  return fmt::format("uid {} may not read the firewall: that is for root and the groups {} and {}",
                     peer.uid, names_.read_group, names_.admin_group);
}

}  // namespace fwd::control

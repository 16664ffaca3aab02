// Who may do what over the control socket: the one table that decides it, and denies what it
// doesn't name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "fwd/control/peer.h"
#include "fwd/settings.h"

namespace fwd::control {

enum class Right : std::uint8_t { Read, Change };

class Access {
 public:
  // Looks the groups up once. A group that doesn't exist gives nobody anything.
  static Access look_up(const ControlSettings& settings, uid_t own_user);

  // Everybody may read, nobody change anything.
  static Access all_read();

  bool may(const Peer& peer, Right right) const;
  // "uid 1000 may not change the firewall: that is for root and the group fwd-admin"
  std::string refusal(const Peer& peer, Right right) const;

 private:
  struct Grant {
    std::optional<uid_t> user;
    std::optional<gid_t> group;
    bool everybody = false;
    bool read = false;
    bool change = false;

    bool covers(const Peer& peer) const;
    bool gives(Right right) const { return right == Right::Read ? read : change; }
  };

  std::vector<Grant> grants_;
  ControlSettings names_;
};

}  // namespace fwd::control

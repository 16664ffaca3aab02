// Which interface leads to an address (rtnetlink).
#pragma once

#include "fwd/kernel/netlink.h"
#include "rules/address.h"

namespace fwd::kernel {

class Routes {
 public:
  static Result<Routes> open();

  // The interface's index; 0 where there is no route.
  unsigned interface_to(const rules::Address& address);

 private:
  explicit Routes(NetlinkSocket socket) : socket_(std::move(socket)) {}

  NetlinkSocket socket_;
};

}  // namespace fwd::kernel

#include "fwd/kernel/links.h"

#include <array>

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

namespace fwd::kernel {
namespace {

int take_name(const nlattr* attribute, void* data) {
  if (mnl_attr_get_type(attribute) == IFLA_IFNAME)
    *static_cast<std::string*>(data) = mnl_attr_get_str(attribute);
  return MNL_CB_OK;
}

}  // namespace

void LinkTable::replace(LinkNames names) {
  const std::lock_guard lock(mutex_);
  names_ = std::move(names);
}

std::string LinkTable::name(std::uint32_t index) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = names_.find(index); known != names_.end()) return known->second;
  }
  std::array<char, IF_NAMESIZE> name{};
  return if_indextoname(index, name.data()) == nullptr ? "" : name.data();
}

Result<Links> Links::open() {
  auto events = NetlinkSocket::open(NETLINK_ROUTE, RTMGRP_LINK);
  if (!events) return std::unexpected(events.error());
  auto requests = NetlinkSocket::open(NETLINK_ROUTE);
  if (!requests) return std::unexpected(requests.error());
  return Links(std::move(*events), std::move(*requests));
}

void Links::drain() {
  std::array<char, 16 * 1024> buffer;
  while (true) {
    const ssize_t received = recv(fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (received < 0 && errno != EINTR && errno != ENOBUFS) return;
  }
}

Result<LinkNames> Links::names() {
  std::array<char, 512> buffer{};
  nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_type = RTM_GETLINK;
  message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message->nlmsg_seq = requests_.next_sequence();
  mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg));

  LinkNames names;
  const auto each = [&](const nlmsghdr& answer) {
    if (answer.nlmsg_type != RTM_NEWLINK) return;
    const auto* info = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(&answer));
    std::string& name = names[static_cast<std::uint32_t>(info->ifi_index)];
    mnl_attr_parse(&answer, sizeof(ifinfomsg), take_name, &name);
  };
  const auto bytes = std::as_bytes(std::span(buffer.data(), message->nlmsg_len));
  if (auto done = requests_.request(bytes, message->nlmsg_seq, "list the network interfaces", each);
      !done) {
    return std::unexpected(done.error());
  }
  return names;
}

}  // namespace fwd::kernel

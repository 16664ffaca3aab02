#include "fwd/kernel/limit_log.h"

#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fmt/core.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <sys/socket.h>

#include "fwd/kernel/chains.h"

namespace fwd::kernel {
namespace {

constexpr std::uint32_t kFlushHundredths = 1;  // of a second until a lone message is sent on
constexpr std::uint32_t kFlushMessages = 32;
constexpr std::size_t kLogReceiveBytes = 128 * 1024;

nlmsghdr* begin_config(std::span<char> buffer, std::uint32_t sequence, std::uint16_t group) {
  nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
  message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  message->nlmsg_seq = sequence;
  auto* header = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(nfgenmsg)));
  header->nfgen_family = AF_UNSPEC;
  header->version = NFNETLINK_V0;
  header->res_id = htons(group);
  return message;
}

Result<void> configure(NetlinkSocket& socket, std::uint16_t group) {
  std::array<char, 512> buffer{};
  nlmsghdr* message = begin_config(buffer, socket.next_sequence(), group);
  const nfulnl_msg_config_cmd bind{NFULNL_CFG_CMD_BIND};
  mnl_attr_put(message, NFULA_CFG_CMD, sizeof bind, &bind);
  const nfulnl_msg_config_mode mode{htonl(0xffff), NFULNL_COPY_PACKET, 0};
  mnl_attr_put(message, NFULA_CFG_MODE, sizeof mode, &mode);
  mnl_attr_put_u32(message, NFULA_CFG_TIMEOUT, htonl(kFlushHundredths));
  mnl_attr_put_u32(message, NFULA_CFG_QTHRESH, htonl(kFlushMessages));
  mnl_attr_put_u16(message, NFULA_CFG_FLAGS, htons(NFULNL_CFG_F_SEQ));
  auto done = socket.request(std::as_bytes(std::span(buffer.data(), message->nlmsg_len)),
                             message->nlmsg_seq, "bind the NFLOG group of limit rules");
  if (done || (done.error().code != EPERM && done.error().code != EBUSY)) return done;
  return failed(fmt::format("NFLOG group {} is in use by another program, such as a second fwd; "
                            "nflog_group in the settings chooses another one",
                            group),
                0);
}

using LogAttributes = std::array<const nlattr*, NFULA_MAX + 1>;

LogAttributes attributes_of(const nlmsghdr& message) {
  LogAttributes attributes{};
  const auto collect = [](const nlattr* attribute, void* data) {
    auto& all = *static_cast<LogAttributes*>(data);
    if (mnl_attr_type_valid(attribute, NFULA_MAX) > 0)
      all[mnl_attr_get_type(attribute)] = attribute;
    return MNL_CB_OK;
  };
  mnl_attr_parse(&message, sizeof(nfgenmsg), collect, &attributes);
  return attributes;
}

std::optional<LimitSlot> slot_after(std::string_view prefix, std::string_view text) {
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  LimitSlot slot = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), slot);
  if (error != std::errc{} || end != text.data() + text.size() || slot > kLastLimitSlot)
    return std::nullopt;
  return slot;
}

std::uint32_t be32(const nlattr* attribute) {
  return attribute == nullptr ? 0 : ntohl(mnl_attr_get_u32(attribute));
}

}  // namespace

Result<LimitLog> LimitLog::open(std::uint16_t group) {
  auto socket = NetlinkSocket::open(NETLINK_NETFILTER);
  if (!socket) return std::unexpected(socket.error());
  if (auto done = configure(*socket, group); !done) return std::unexpected(done.error());
  return LimitLog(std::move(*socket));
}

Result<void> LimitLog::drain(const std::function<void(const LimitEvent&)>& each) {
  std::vector<std::byte> buffer(kLogReceiveBytes);
  while (true) {
    const ssize_t received = recv(fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0 && errno == ENOBUFS)
      continue;  // what is missing shows in the sequence numbers
    if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return {};
    if (received < 0) return failed("receive from the NFLOG group of limit rules");
    int left = static_cast<int>(received);
    for (auto* message = reinterpret_cast<nlmsghdr*>(buffer.data()); mnl_nlmsg_ok(message, left);
         message = mnl_nlmsg_next(message, &left)) {
      if (message->nlmsg_type == (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET))
        handle(*message, each);
    }
  }
}

void LimitLog::handle(const nlmsghdr& message, const std::function<void(const LimitEvent&)>& each) {
  const LogAttributes attributes = attributes_of(message);
  if (attributes[NFULA_SEQ] != nullptr) {
    const std::uint32_t sequence = be32(attributes[NFULA_SEQ]);
    if (started_) lost_ += sequence - next_;
    started_ = true;
    next_ = sequence + 1;
  }
  if (attributes[NFULA_PREFIX] == nullptr || attributes[NFULA_PACKET_HDR] == nullptr) return;
  const auto* header =
      static_cast<const nfulnl_msg_packet_hdr*>(mnl_attr_get_payload(attributes[NFULA_PACKET_HDR]));
  const std::string_view prefix = mnl_attr_get_str(attributes[NFULA_PREFIX]);
  const auto allowed = slot_after(kLimitAllowedPrefix, prefix);
  const auto refused = slot_after(kLimitRefusedPrefix, prefix);
  if (!allowed && !refused) return;

  LimitEvent event;
  event.slot = allowed.value_or(refused.value_or(0));
  event.refused = refused.has_value();
  const bool input = header->hook == NF_INET_LOCAL_IN;
  event.hook = input ? rules::Direction::In : rules::Direction::Out;
  event.interface_index = be32(attributes[input ? NFULA_IFINDEX_INDEV : NFULA_IFINDEX_OUTDEV]);
  if (const nlattr* payload = attributes[NFULA_PAYLOAD]; payload != nullptr) {
    event.packet = {static_cast<const std::byte*>(mnl_attr_get_payload(payload)),
                    mnl_attr_get_payload_len(payload)};
  }
  each(event);
}

}  // namespace fwd::kernel

#include "fwd/kernel/queue_message.h"

#include <algorithm>

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>

#include "fwd/kernel/attributes.h"

namespace fwd::kernel {
namespace {

constexpr std::uint16_t queue_type(unsigned type) {
  return static_cast<std::uint16_t>(NFNL_SUBSYS_QUEUE << 8U | type);
}

// What the attributes say, before it is known which of them count.
struct PacketAttributes {
  std::optional<nfqnl_msg_packet_hdr> packet;
  std::uint32_t in_device = 0;
  std::uint32_t out_device = 0;
  std::uint32_t priority = 0;
  std::optional<std::uint32_t> uncut_length;
  std::span<const std::byte> payload;

  void take(unsigned type, std::span<const std::byte> value) {
    switch (type) {
      case NFQA_PACKET_HDR:
        packet = load<nfqnl_msg_packet_hdr>(value);
        break;
      case NFQA_IFINDEX_INDEV:
        in_device = load_network<std::uint32_t>(value);
        break;
      case NFQA_IFINDEX_OUTDEV:
        out_device = load_network<std::uint32_t>(value);
        break;
      case NFQA_PRIORITY:
        priority = load_network<std::uint32_t>(value);
        break;
      case NFQA_CAP_LEN:
        uncut_length = load_network<std::uint32_t>(value);
        break;
      case NFQA_PAYLOAD:
        payload = value;
        break;
      default:
        break;
    }
  }
};

rules::Direction direction(unsigned hook) {
  const bool out = hook == NF_INET_LOCAL_OUT || hook == NF_INET_POST_ROUTING;
  return out ? rules::Direction::Out : rules::Direction::In;
}

}  // namespace

std::optional<QueuedPacket> parse_packet(std::span<const std::byte> message) noexcept {
  const auto header = load<nlmsghdr>(message);
  constexpr std::size_t kHeaders = sizeof(nlmsghdr) + sizeof(nfgenmsg);
  if (!header || header->nlmsg_type != queue_type(NFQNL_MSG_PACKET)) return std::nullopt;
  if (message.size() < kHeaders || header->nlmsg_len < kHeaders) return std::nullopt;

  const std::size_t end = std::min<std::size_t>(message.size(), header->nlmsg_len);
  PacketAttributes attributes;
  for_each_attribute(
      message.first(end).subspan(kHeaders),
      [&](unsigned type, std::span<const std::byte> value) { attributes.take(type, value); });
  if (!attributes.packet) return std::nullopt;
  const auto hook = direction(attributes.packet->hook);
  return QueuedPacket{.id = ntohl(attributes.packet->packet_id),
                      .priority = attributes.priority,
                      .interface_index = hook == rules::Direction::In ? attributes.in_device
                                                                      : attributes.out_device,
                      .hook = hook,
                      .wire_length = attributes.uncut_length.value_or(
                          static_cast<std::uint32_t>(attributes.payload.size())),
                      .bytes = attributes.payload};
}

std::optional<Answer> parse_answer(std::span<const std::byte> message) noexcept {
  const auto header = load<nlmsghdr>(message);
  if (!header || header->nlmsg_type != NLMSG_ERROR) return std::nullopt;
  const auto error = load<std::int32_t>(message.subspan(sizeof(nlmsghdr)));
  if (!error) return std::nullopt;
  return Answer{.sequence = header->nlmsg_seq, .error = -*error};
}

VerdictMessage VerdictMessage::for_queue(std::uint16_t queue) noexcept {
  VerdictMessage message{};
  message.header.nlmsg_len = sizeof message;
  message.header.nlmsg_type = queue_type(NFQNL_MSG_VERDICT);
  message.header.nlmsg_flags = NLM_F_REQUEST;
  message.family.nfgen_family = AF_UNSPEC;
  message.family.version = NFNETLINK_V0;
  message.family.res_id = htons(queue);
  message.verdict_attribute = {sizeof(nlattr) + sizeof(nfqnl_msg_verdict_hdr), NFQA_VERDICT_HDR};
  message.priority_attribute = {sizeof(nlattr) + sizeof(std::uint32_t), NFQA_PRIORITY};
  return message;
}

VerdictMessage VerdictMessage::for_all_until(std::uint16_t queue) noexcept {
  VerdictMessage message = for_queue(queue);
  message.header.nlmsg_type = queue_type(NFQNL_MSG_VERDICT_BATCH);
  return message;
}

void VerdictMessage::set(const Verdict& answer) noexcept {
  set(answer.id, answer.accept ? NF_ACCEPT : NF_DROP, answer.priority);
}

void VerdictMessage::set(std::uint32_t id, std::uint32_t netfilter_verdict,
                         std::uint32_t new_priority) noexcept {
  verdict = {.verdict = htonl(netfilter_verdict), .id = htonl(id)};
  priority = htonl(new_priority);
}

std::vector<std::byte> priority_probe(std::uint16_t queue, std::uint32_t sequence) {
  VerdictMessage message = VerdictMessage::for_queue(queue);
  message.header.nlmsg_flags |= NLM_F_ACK;
  message.header.nlmsg_seq = sequence;
  message.priority_attribute.nla_len = sizeof(nlattr) + 1;
  const auto bytes = std::as_bytes(std::span(&message, 1));
  return {bytes.begin(), bytes.end()};
}

std::vector<std::byte> bind_message(const QueueConfiguration& configuration,
                                    std::uint32_t sequence) {
  std::vector<std::byte> message(256);
  nlmsghdr* header = mnl_nlmsg_put_header(message.data());
  header->nlmsg_type = queue_type(NFQNL_MSG_CONFIG);
  header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  header->nlmsg_seq = sequence;
  auto* family = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(nfgenmsg)));
  family->nfgen_family = AF_UNSPEC;
  family->version = NFNETLINK_V0;
  family->res_id = htons(configuration.queue);

  const nfqnl_msg_config_cmd bind{.command = NFQNL_CFG_CMD_BIND, ._pad = 0, .pf = 0};
  mnl_attr_put(header, NFQA_CFG_CMD, sizeof bind, &bind);
  const nfqnl_msg_config_params copy{.copy_range = htonl(configuration.copy_bytes),
                                     .copy_mode = NFQNL_COPY_PACKET};
  mnl_attr_put(header, NFQA_CFG_PARAMS, sizeof copy, &copy);
  mnl_attr_put_u32(header, NFQA_CFG_QUEUE_MAXLEN, htonl(configuration.max_packets));
  mnl_attr_put_u32(header, NFQA_CFG_FLAGS, htonl(configuration.flags));
  mnl_attr_put_u32(header, NFQA_CFG_MASK, htonl(configuration.flags));
  message.resize(header->nlmsg_len);
  return message;
}

}  // namespace fwd::kernel

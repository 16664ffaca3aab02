#include "fwd/kernel/queue_message.h"

#include <array>
#include <cstring>
#include <vector>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <linux/netfilter.h>

using fwd::kernel::bind_message;
using fwd::kernel::parse_answer;
using fwd::kernel::parse_packet;
using fwd::kernel::VerdictMessage;
using rules::Direction;

namespace {

using Bytes = std::vector<std::byte>;

template <typename T>
void append(Bytes& bytes, const T& value) {
  const auto* raw = reinterpret_cast<const std::byte*>(&value);
  bytes.insert(bytes.end(), raw, raw + sizeof value);
}

// A message as the kernel builds it.
class Message {
 public:
  explicit Message(std::uint16_t type = NFNL_SUBSYS_QUEUE << 8U | NFQNL_MSG_PACKET) {
    nlmsghdr header{};
    header.nlmsg_type = type;
    append(bytes_, header);
    append(bytes_, nfgenmsg{.nfgen_family = AF_INET, .version = 0, .res_id = htons(3)});
  }

  template <typename T>
  Message& attribute(std::uint16_t type, const T& value) {
    append(bytes_, nlattr{static_cast<std::uint16_t>(sizeof(nlattr) + sizeof value), type});
    append(bytes_, value);
    bytes_.resize((bytes_.size() + 3) / 4 * 4);
    return *this;
  }
  Message& number(std::uint16_t type, std::uint32_t value) { return attribute(type, htonl(value)); }
  Message& packet(std::uint32_t id, std::uint8_t hook) {
    return attribute(NFQA_PACKET_HDR, nfqnl_msg_packet_hdr{htonl(id), htons(0x0800), hook});
  }

  Bytes bytes() const {
    Bytes finished = bytes_;
    const auto length = static_cast<std::uint32_t>(finished.size());
    std::memcpy(finished.data(), &length, sizeof length);
    return finished;
  }

 private:
  Bytes bytes_;
};

using Payload = std::array<std::uint8_t, 5>;
constexpr Payload kPayload{0x45, 1, 2, 3, 4};

Bytes full_message() {
  return Message()
      .packet(77, NF_INET_LOCAL_IN)
      .number(NFQA_IFINDEX_INDEV, 5)
      .number(NFQA_IFINDEX_OUTDEV, 6)
      .number(NFQA_PRIORITY, 0x10000001)
      .number(NFQA_CAP_LEN, 1500)
      .attribute(NFQA_PAYLOAD, kPayload)
      .bytes();
}

}  // namespace

TEST_CASE("a packet message gives id, hook, interface, priority, length and bytes") {
  const auto message = full_message();
  const auto packet = parse_packet(message);
  REQUIRE(packet.has_value());
  CHECK(packet->id == 77);
  CHECK(packet->hook == Direction::In);
  CHECK(packet->interface_index == 5);
  CHECK(packet->priority == 0x10000001);
  CHECK(packet->wire_length == 1500);
  REQUIRE(packet->bytes.size() == kPayload.size());
  CHECK(std::memcmp(packet->bytes.data(), kPayload.data(), kPayload.size()) == 0);
}

TEST_CASE("an outgoing packet's interface is the one it leaves by") {
  const auto packet = parse_packet(Message()
                                       .packet(1, NF_INET_LOCAL_OUT)
                                       .number(NFQA_IFINDEX_INDEV, 5)
                                       .number(NFQA_IFINDEX_OUTDEV, 6)
                                       .bytes());
  REQUIRE(packet.has_value());
  CHECK(packet->hook == Direction::Out);
  CHECK(packet->interface_index == 6);
}

TEST_CASE(
    "what the kernel doesn't say is zero, and an uncut packet's length is that of its bytes") {
  const auto message =
      Message().packet(1, NF_INET_LOCAL_IN).attribute(NFQA_PAYLOAD, kPayload).bytes();
  const auto packet = parse_packet(message);
  REQUIRE(packet.has_value());
  CHECK(packet->priority == 0);
  CHECK(packet->interface_index == 0);
  CHECK(packet->wire_length == kPayload.size());
}

TEST_CASE("a packet without payload is a packet without bytes") {
  const auto packet = parse_packet(Message().packet(1, NF_INET_LOCAL_IN).bytes());
  REQUIRE(packet.has_value());
  CHECK(packet->bytes.empty());
}

TEST_CASE("messages of other kinds, or without an id, are no packets") {
  CHECK_FALSE(parse_packet(Message(NLMSG_DONE).packet(1, NF_INET_LOCAL_IN).bytes()).has_value());
  CHECK_FALSE(parse_packet(Message().number(NFQA_PRIORITY, 1).bytes()).has_value());
  CHECK_FALSE(
      parse_packet(Message().attribute(NFQA_PACKET_HDR, std::uint32_t{1}).bytes()).has_value());
  CHECK_FALSE(parse_packet({}).has_value());
}

TEST_CASE(
    "a message cut at any byte still gives the id as soon as that is there, and never reads on") {
  const auto message = full_message();
  constexpr std::size_t kUpToId = 20 + 4 + 7;
  for (std::size_t length = 0; length <= message.size(); ++length) {
    const Bytes cut(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(length));
    const auto packet = parse_packet(cut);
    INFO("length " << length);
    REQUIRE(packet.has_value() == (length >= kUpToId));
    if (packet) CHECK(packet->id == 77);
  }
}

TEST_CASE("attribute lengths that lie end the reading") {
  for (const auto length : std::array<std::uint16_t, 4>{0, 3, 200, 65535}) {
    auto message = full_message();
    const std::size_t second = 20 + 12;  // after the packet's header
    std::memcpy(message.data() + second, &length, sizeof length);
    const auto packet = parse_packet(message);
    REQUIRE(packet.has_value());
    CHECK(packet->id == 77);
    CHECK(packet->bytes.empty());
  }
}

TEST_CASE("an answer gives its sequence number and error") {
  nlmsghdr header{};
  header.nlmsg_type = NLMSG_ERROR;
  header.nlmsg_seq = 9;
  Bytes message;
  append(message, header);
  CHECK_FALSE(parse_answer(message).has_value());
  append(message, nlmsgerr{.error = -ENOENT, .msg = header});
  const auto answer = parse_answer(message);
  REQUIRE(answer.has_value());
  CHECK(answer->sequence == 9);
  CHECK(answer->error == ENOENT);
  CHECK_FALSE(parse_answer(full_message()).has_value());
}

TEST_CASE("a verdict message is what nfnetlink_queue takes") {
  auto message = VerdictMessage::for_queue(258);
  message.set({.id = 0x01020304, .accept = true, .priority = 0x80400abc});
  const std::array<std::uint8_t, 24> after_header{0,    0,    1,    2,  // family, version, queue
                                                  12,   0,    2,    0,  // NFQA_VERDICT_HDR
                                                  0,    0,    0,    NF_ACCEPT,  // verdict
                                                  1,    2,    3,    4,          // id
                                                  8,    0,    21,   0,          // NFQA_PRIORITY
                                                  0x80, 0x40, 0x0a, 0xbc};
  CHECK(message.header.nlmsg_len == 40);
  CHECK(message.header.nlmsg_type == (NFNL_SUBSYS_QUEUE << 8U | NFQNL_MSG_VERDICT));
  CHECK(message.header.nlmsg_flags == NLM_F_REQUEST);
  CHECK(std::memcmp(reinterpret_cast<const std::byte*>(&message) + sizeof(nlmsghdr),
                    after_header.data(), after_header.size()) == 0);
  message.set({.id = 1, .accept = false, .priority = 0});
  CHECK(message.verdict.verdict == htonl(NF_DROP));
}

TEST_CASE("binding asks for an acknowledgement and sets everything in one message") {
  const auto message =
      bind_message({.queue = 3, .copy_bytes = 256, .max_packets = 8192, .flags = 5}, 1);
  nlmsghdr header{};
  std::memcpy(&header, message.data(), sizeof header);
  CHECK(header.nlmsg_len == message.size());
  CHECK(header.nlmsg_type == (NFNL_SUBSYS_QUEUE << 8U | NFQNL_MSG_CONFIG));
  CHECK(header.nlmsg_flags == (NLM_F_REQUEST | NLM_F_ACK));
  CHECK(message.size() == 20 + 8 + 12 + 3 * 8);
}

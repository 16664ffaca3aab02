#include "fwd/kernel/conntrack.h"

#include <array>
#include <fstream>
#include <memory>
#include <utility>

#include <arpa/inet.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

namespace fwd::kernel {
namespace {

constexpr std::uint32_t kEstablishedSeconds =
    432000;  // the kernel's own nf_conntrack_tcp_timeout_established
constexpr std::uint32_t kUdpSeconds = 120;
constexpr std::uint8_t kBeLiberal = 0x08;  // IP_CT_TCP_FLAG_BE_LIBERAL

struct EntryFree {
  void operator()(nf_conntrack* entry) const { nfct_destroy(entry); }
};
using EntryPtr = std::unique_ptr<nf_conntrack, EntryFree>;

std::array<std::uint32_t, 4> network_words(const rules::Address& address) {
  if (address.family == rules::Family::V4)
    return {htonl(static_cast<std::uint32_t>(address.low)), 0, 0, 0};
  return {htonl(static_cast<std::uint32_t>(address.high >> 32)),
          htonl(static_cast<std::uint32_t>(address.high)),
          htonl(static_cast<std::uint32_t>(address.low >> 32)),
          htonl(static_cast<std::uint32_t>(address.low))};
}

rules::Address address_from(std::uint8_t family, const void* words) {
  const auto* word = static_cast<const std::uint32_t*>(words);
  if (family == AF_INET) return rules::Address::v4(ntohl(word[0]));
  return rules::Address::v6(std::uint64_t{ntohl(word[0])} << 32 | ntohl(word[1]),
                            std::uint64_t{ntohl(word[2])} << 32 | ntohl(word[3]));
}

void set_direction(nf_conntrack* entry, const CtTuple& tuple, bool reply) {
  const bool ipv4 = tuple.source.family == rules::Family::V4;
  const auto source = network_words(tuple.source);
  const auto destination = network_words(tuple.destination);
  nfct_set_attr_u8(entry, reply ? ATTR_REPL_L3PROTO : ATTR_ORIG_L3PROTO, ipv4 ? AF_INET : AF_INET6);
  nfct_set_attr_u8(entry, reply ? ATTR_REPL_L4PROTO : ATTR_ORIG_L4PROTO, tuple.protocol);
  if (ipv4) {
    nfct_set_attr(entry, reply ? ATTR_REPL_IPV4_SRC : ATTR_ORIG_IPV4_SRC, source.data());
    nfct_set_attr(entry, reply ? ATTR_REPL_IPV4_DST : ATTR_ORIG_IPV4_DST, destination.data());
  } else {
    nfct_set_attr(entry, reply ? ATTR_REPL_IPV6_SRC : ATTR_ORIG_IPV6_SRC, source.data());
    nfct_set_attr(entry, reply ? ATTR_REPL_IPV6_DST : ATTR_ORIG_IPV6_DST, destination.data());
  }
  nfct_set_attr_u16(entry, reply ? ATTR_REPL_PORT_SRC : ATTR_ORIG_PORT_SRC,
                    htons(tuple.source_port));
  nfct_set_attr_u16(entry, reply ? ATTR_REPL_PORT_DST : ATTR_ORIG_PORT_DST,
                    htons(tuple.destination_port));
}

void set_established(nf_conntrack* entry, std::uint8_t protocol) {
  nfct_set_attr_u32(entry, ATTR_STATUS, IPS_CONFIRMED | IPS_SEEN_REPLY | IPS_ASSURED);
  nfct_set_attr_u32(entry, ATTR_TIMEOUT,
                    protocol == IPPROTO_TCP ? kEstablishedSeconds : kUdpSeconds);
  if (protocol != IPPROTO_TCP) return;
  nfct_set_attr_u8(entry, ATTR_TCP_STATE, TCP_CONNTRACK_ESTABLISHED);
  for (const auto attribute :
       {ATTR_TCP_FLAGS_ORIG, ATTR_TCP_FLAGS_REPL, ATTR_TCP_MASK_ORIG, ATTR_TCP_MASK_REPL}) {
    nfct_set_attr_u8(entry, attribute, kBeLiberal);
  }
}

nlmsghdr* begin(std::span<char> buffer, std::uint16_t type, std::uint16_t flags,
                std::uint32_t sequence, std::uint8_t family) {
  nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_type = static_cast<std::uint16_t>(NFNL_SUBSYS_CTNETLINK << 8 | type);
  message->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  message->nlmsg_seq = sequence;
  auto* header = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(nfgenmsg)));
  header->nfgen_family = family;
  header->version = NFNETLINK_V0;
  return message;
}

std::uint8_t family_of(const CtTuple& tuple) {
  return tuple.source.family == rules::Family::V4 ? AF_INET : AF_INET6;
}

std::optional<CtTuple> tuple_of(const nf_conntrack* entry) {
  const std::uint8_t protocol = nfct_get_attr_u8(entry, ATTR_ORIG_L4PROTO);
  if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP) return std::nullopt;
  const std::uint8_t family = nfct_get_attr_u8(entry, ATTR_ORIG_L3PROTO);
  const bool ipv4 = family == AF_INET;
  const void* source = nfct_get_attr(entry, ipv4 ? ATTR_ORIG_IPV4_SRC : ATTR_ORIG_IPV6_SRC);
  const void* destination = nfct_get_attr(entry, ipv4 ? ATTR_ORIG_IPV4_DST : ATTR_ORIG_IPV6_DST);
  if (source == nullptr || destination == nullptr) return std::nullopt;
  return CtTuple{
      protocol, address_from(family, source), ntohs(nfct_get_attr_u16(entry, ATTR_ORIG_PORT_SRC)),
      address_from(family, destination), ntohs(nfct_get_attr_u16(entry, ATTR_ORIG_PORT_DST))};
}

Result<std::uint64_t> read_number(const char* path) {
  std::ifstream file(path);
  std::uint64_t value = 0;
  if (!(file >> value)) return failed(std::string("read ") + path, 0);
  return value;
}

}  // namespace

Result<Conntrack> Conntrack::open() {
  auto socket = NetlinkSocket::open(NETLINK_NETFILTER);
  if (!socket) return std::unexpected(socket.error());
  return Conntrack(std::move(*socket));
}

Result<std::map<CtTuple, std::uint32_t>> Conntrack::list() {
  std::array<char, 256> buffer{};
  const nlmsghdr* message =
      begin(buffer, IPCTNL_MSG_CT_GET, NLM_F_DUMP, socket_.next_sequence(), AF_UNSPEC);
  std::map<CtTuple, std::uint32_t> entries;
  const auto each = [&](const nlmsghdr& answer) {
    const EntryPtr entry(nfct_new());
    if (nfct_nlmsg_parse(&answer, entry.get()) < 0) return;
    if (const auto tuple = tuple_of(entry.get()))
      entries[*tuple] = nfct_get_attr_u32(entry.get(), ATTR_MARK);
  };
  const auto bytes = std::as_bytes(std::span(buffer.data(), message->nlmsg_len));
  if (auto done = socket_.request(bytes, message->nlmsg_seq, "list conntrack's entries", each);
      !done) {
    return std::unexpected(done.error());
  }
  return entries;
}

Result<void> Conntrack::put(const CtTuple& tuple, CtMark mark, std::uint32_t bits) {
  const EntryPtr entry(nfct_new());
  set_direction(entry.get(), tuple, false);
  set_direction(entry.get(), tuple.reversed(), true);
  set_established(entry.get(), tuple.protocol);
  nfct_set_attr_u32(entry.get(), ATTR_MARK, bits);

  std::array<char, 4096> buffer{};
  nlmsghdr* message = begin(buffer, IPCTNL_MSG_CT_NEW, NLM_F_CREATE | NLM_F_ACK,
                            socket_.next_sequence(), family_of(tuple));
  if (nfct_nlmsg_build(message, entry.get()) < 0) return failed("encode a conntrack entry");
  mnl_attr_put_u32(message, CTA_MARK_MASK, htonl(mark.mask));
  return socket_.request(std::as_bytes(std::span(buffer.data(), message->nlmsg_len)),
                         message->nlmsg_seq, "write a conntrack entry");
}

Result<void> Conntrack::remove(const CtTuple& tuple) {
  const EntryPtr entry(nfct_new());
  set_direction(entry.get(), tuple, false);
  std::array<char, 4096> buffer{};
  nlmsghdr* message =
      begin(buffer, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, socket_.next_sequence(), family_of(tuple));
  if (nfct_nlmsg_build(message, entry.get()) < 0) return failed("encode a conntrack entry");
  auto done = socket_.request(std::as_bytes(std::span(buffer.data(), message->nlmsg_len)),
                              message->nlmsg_seq, "remove a conntrack entry");
  if (!done && done.error().code == ENOENT) return {};
  return done;
}

Result<ConntrackFill> conntrack_fill() {
  const auto entries = read_number("/proc/sys/net/netfilter/nf_conntrack_count");
  if (!entries) return std::unexpected(entries.error());
  const auto limit = read_number("/proc/sys/net/netfilter/nf_conntrack_max");
  if (!limit) return std::unexpected(limit.error());
  return ConntrackFill{*entries, *limit};
}

}  // namespace fwd::kernel

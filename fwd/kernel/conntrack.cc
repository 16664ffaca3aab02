#include "fwd/kernel/conntrack.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

#include "fwd/kernel/attributes.h"
#include "fwd/kernel/inet_address.h"
#include "fwd/owned.h"

namespace fwd::kernel {
namespace {

constexpr std::uint32_t kEstablishedSeconds =
    432000;  // the kernel's own nf_conntrack_tcp_timeout_established
constexpr std::uint32_t kUdpSeconds = 120;
constexpr std::uint8_t kBeLiberal = 0x08;  // IP_CT_TCP_FLAG_BE_LIBERAL

using EntryPtr = Owned<nf_conntrack, nfct_destroy>;

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

bool has_socket(const CtEntry& entry) {
  return entry.original.protocol == IPPROTO_TCP || entry.original.protocol == IPPROTO_UDP;
}

bool is_closed(const CtEntry& entry) {
  return entry.tcp_state == TCP_CONNTRACK_TIME_WAIT || entry.tcp_state == TCP_CONNTRACK_CLOSE;
}

bool put(std::span<char> buffer, unsigned type, std::span<const std::byte> value) {
  auto* message = reinterpret_cast<nlmsghdr*>(buffer.data());
  return mnl_attr_put_check(message, buffer.size(), static_cast<std::uint16_t>(type), value.size(),
                            value.data());
}

// A message whose sequence number is set when it is sent. False where the entry's name is longer than any that the kernel gives.
bool append_change(std::vector<std::byte>& messages, const CtEntry& entry, std::uint32_t bits,
                   std::uint32_t mask) {
  std::array<char, 1024> buffer{};
  nlmsghdr* message = begin(buffer, IPCTNL_MSG_CT_NEW, 0, 0, family_of(entry.original));
  mnl_attr_put_u32(message, CTA_MARK, htonl(bits & mask));
  mnl_attr_put_u32(message, CTA_MARK_MASK, htonl(mask));
  if (!put(buffer, CTA_TUPLE_ORIG | NLA_F_NESTED, entry.original_attribute)) return false;
  if (!entry.zone_attribute.empty() && !put(buffer, CTA_ZONE, entry.zone_attribute)) return false;
  const auto bytes = std::as_bytes(std::span(buffer.data(), message->nlmsg_len));
  messages.insert(messages.end(), bytes.begin(), bytes.end());
  return true;
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
  std::map<CtTuple, std::uint32_t> entries;
  const auto done = dump([&](const CtEntry& entry) {
    if (has_socket(entry)) entries[entry.original] = entry.mark;
  });
  if (!done) return std::unexpected(done.error());
  return entries;
}

Result<void> Conntrack::dump(const std::function<void(const CtEntry&)>& each) {
  std::array<char, 256> buffer{};
  const nlmsghdr* message =
      begin(buffer, IPCTNL_MSG_CT_GET, NLM_F_DUMP, socket_.next_sequence(), AF_UNSPEC);
  const auto parse = [&](const nlmsghdr& answer) {
    if (const auto entry = parse_entry(message_bytes(answer))) each(*entry);
  };
  const auto bytes = std::as_bytes(std::span(buffer.data(), message->nlmsg_len));
  return socket_.request(bytes, message->nlmsg_seq, "list conntrack's entries", parse);
}

Result<void> Conntrack::mark_all(std::uint32_t mask, const Decide& decide) {
  std::vector<std::byte> messages;
  std::vector<std::size_t> ends;
  const auto each = [&](const CtEntry& entry) {
    const auto bits = decide({first_packet(entry), entry.mark, is_closed(entry)});
    if (bits && append_change(messages, entry, *bits, mask)) ends.push_back(messages.size());
  };
  if (auto done = dump(each); !done) return done;
  return send_changes(messages, ends);
}

// Some at a time: their acknowledgements must fit into the socket's buffer. One message's error doesn't keep the
// kernel from the others, and an entry that has gone meanwhile (ENOENT) needs no mark; the first other error is
// returned at the end.
Result<void> Conntrack::send_changes(std::span<std::byte> messages,
                                     std::span<const std::size_t> ends) {
  constexpr std::size_t kAtOnce = 256;
  std::size_t begin = 0;
  Result<void> first;
  while (!ends.empty()) {
    const auto some = ends.first(std::min(kAtOnce, ends.size()));
    std::uint32_t sequence = 0;
    nlmsghdr* last = nullptr;
    for (std::size_t at = begin; at < some.back();) {
      last = reinterpret_cast<nlmsghdr*>(&messages[at]);
      last->nlmsg_seq = sequence = socket_.next_sequence();
      at += last->nlmsg_len;
    }
    last->nlmsg_flags |= NLM_F_ACK;
    const auto part = messages.subspan(begin, some.back() - begin);
    const auto done = socket_.request(part, sequence, "mark conntrack's entries");
    if (first && !done && done.error().code != ENOENT) first = done;
    begin = some.back();
    ends = ends.subspan(some.size());
  }
  return first;
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

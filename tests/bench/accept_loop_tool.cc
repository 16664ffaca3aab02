// The bare loop that the daemon is measured against: it accepts every packet of one NFQUEUE and
// looks at nothing but the packet's id. What makes NFQUEUE fast it does as well: recvmmsg(64), all
// verdicts in one send, GSO, fail-open and a copy range of headers only. It ends on SIGTERM.
//     accept_loop QUEUE
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <sys/socket.h>

namespace {

constexpr unsigned kBatch = 64;
constexpr std::uint32_t kCopyBytes = 256;
constexpr std::uint32_t kMaxPackets = 32768;
constexpr int kSocketBytes = 16 << 20;

volatile std::sig_atomic_t stopping = 0;

struct Verdict {
  nlmsghdr header;
  nfgenmsg family;
  nlattr attribute;
  nfqnl_msg_verdict_hdr verdict;
};

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

mnl_socket* open_queue(std::uint16_t number) {
  mnl_socket* socket = mnl_socket_open(NETLINK_NETFILTER);
  if (socket == nullptr || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) fail("open");
  setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUFFORCE, &kSocketBytes,
             sizeof kSocketBytes);

  std::array<char, 256> buffer{};
  nlmsghdr* header = mnl_nlmsg_put_header(buffer.data());
  header->nlmsg_type = NFNL_SUBSYS_QUEUE << 8U | NFQNL_MSG_CONFIG;
  header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  auto* family = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(nfgenmsg)));
  family->res_id = htons(number);
  const nfqnl_msg_config_cmd bind{.command = NFQNL_CFG_CMD_BIND, ._pad = 0, .pf = 0};
  mnl_attr_put(header, NFQA_CFG_CMD, sizeof bind, &bind);
  const nfqnl_msg_config_params copy{htonl(kCopyBytes), NFQNL_COPY_PACKET};
  mnl_attr_put(header, NFQA_CFG_PARAMS, sizeof copy, &copy);
  mnl_attr_put_u32(header, NFQA_CFG_QUEUE_MAXLEN, htonl(kMaxPackets));
  constexpr std::uint32_t kFlags = NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN;
  mnl_attr_put_u32(header, NFQA_CFG_FLAGS, htonl(kFlags));
  mnl_attr_put_u32(header, NFQA_CFG_MASK, htonl(kFlags));
  if (mnl_socket_sendto(socket, header, header->nlmsg_len) < 0) fail("configure");
  const auto received = mnl_socket_recvfrom(socket, buffer.data(), buffer.size());
  if (received < 0) fail("configure");
  const auto port = mnl_socket_get_portid(socket);
  if (mnl_cb_run(buffer.data(), static_cast<std::size_t>(received), 0, port, nullptr, nullptr) <
      0) {
    fail("configure");
  }
  return socket;
}

Verdict accept_template(std::uint16_t queue) {
  Verdict verdict{};
  verdict.header.nlmsg_len = sizeof verdict;
  verdict.header.nlmsg_type = NFNL_SUBSYS_QUEUE << 8U | NFQNL_MSG_VERDICT;
  verdict.header.nlmsg_flags = NLM_F_REQUEST;
  verdict.family.res_id = htons(queue);
  verdict.attribute = {sizeof(nlattr) + sizeof(nfqnl_msg_verdict_hdr), NFQA_VERDICT_HDR};
  verdict.verdict.verdict = htonl(NF_ACCEPT);
  return verdict;
}

void run(int fd, std::uint16_t queue) {
  static std::array<std::array<char, 1024>, kBatch> buffers;
  std::array<iovec, kBatch> vectors{};
  std::array<mmsghdr, kBatch> headers{};
  std::array<Verdict, kBatch> verdicts;
  verdicts.fill(accept_template(queue));
  for (unsigned at = 0; at < kBatch; ++at) {
    vectors[at] = {buffers[at].data(), buffers[at].size()};
    headers[at].msg_hdr.msg_iov = &vectors[at];
    headers[at].msg_hdr.msg_iovlen = 1;
  }
  // The id is the first thing after the headers and the first attribute's own.
  constexpr std::size_t kId = sizeof(nlmsghdr) + sizeof(nfgenmsg) + sizeof(nlattr);
  while (stopping == 0) {
    const int count = recvmmsg(fd, headers.data(), kBatch, MSG_WAITFORONE, nullptr);
    if (count < 0 && errno != EINTR && errno != ENOBUFS) fail("receive");
    std::size_t packets = 0;
    for (int at = 0; at < count; ++at) {
      const char* message = buffers[static_cast<std::size_t>(at)].data();
      if (reinterpret_cast<const nlmsghdr*>(message)->nlmsg_type == NLMSG_ERROR) continue;
      std::memcpy(&verdicts[packets++].verdict.id, message + kId, sizeof(std::uint32_t));
    }
    if (packets > 0 && send(fd, verdicts.data(), packets * sizeof(Verdict), 0) < 0) fail("send");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: accept_loop QUEUE\n", stderr);
    return 2;
  }
  const auto queue = static_cast<std::uint16_t>(std::atoi(argv[1]));
  struct sigaction action {};
  action.sa_handler = [](int) { stopping = 1; };  // without SA_RESTART: it ends the receive
  sigaction(SIGTERM, &action, nullptr);
  mnl_socket* socket = open_queue(queue);
  run(mnl_socket_get_fd(socket), queue);
  mnl_socket_close(socket);
}

// The least table that a queue's program needs: what belongs to a known connection passes, new ones
// are queued.
//     queue_rule QUEUE
#include <cstdio>
#include <cstdlib>

#include "fwd/kernel/nft_batch.h"

namespace {

namespace nft = rules::nft;
using fwd::kernel::QueueExpression;

fwd::Result<void> write_table(std::uint16_t queue, QueueExpression expression) {
  auto socket = fwd::kernel::NetlinkSocket::open(NETLINK_NETFILTER);
  if (!socket) return std::unexpected(socket.error());
  fwd::kernel::NftBatch batch(*socket);
  const std::string table = "fwd_bench";
  const nft::Compare known{nft::Field::CtState, 0U, false, nft::state::kEstablished};
  batch.add_table(table, "");
  batch.add_chain(table, {"input", nft::BaseChain{nft::BaseChain::Hook::Input, 0}});
  batch.add_rule(table, "input", {{known, nft::Verdict{nft::Verdict::Kind::Accept}}}, expression);
  batch.add_rule(table, "input", {{nft::Queue{queue, queue}}}, expression);
  return batch.commit("write the bench's table");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: queue_rule QUEUE\n", stderr);
    return 2;
  }
  const auto queue = static_cast<std::uint16_t>(std::atoi(argv[1]));
  auto written = write_table(queue, QueueExpression::Native);
  if (!written) written = write_table(queue, QueueExpression::Compat);
  if (written) return 0;
  std::fprintf(stderr, "%s\n", written.error().message().c_str());
  return 1;
}

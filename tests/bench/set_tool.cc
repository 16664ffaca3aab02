// The kernel's own time for a set of addresses: one batch, ready made, and nothing but its sendmsg
// and the answer are timed. Prints milliseconds: for the set, and for one member more. In the
// network namespace it is started in; the table goes with that. "hash" is the set that fwd makes, of a fixed size;
// "growing" the one that nft makes without being told a size.
//     set hash|growing|interval MEMBERS
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "fwd/kernel/nft_batch.h"

namespace {

using fwd::kernel::NftBatch;
using Clock = std::chrono::steady_clock;

const std::string kTable = "fwd_bench";

// Exact addresses, or pairs of them; none touches the next.
std::shared_ptr<const rules::AddressSet> members(bool ranges, std::uint32_t first,
                                                 std::uint32_t count) {
  rules::AddressSet::Builder members;
  members.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t address = 0x01000000U + 4 * (first + i);
    members.add({rules::Address::v4(address), rules::Address::v4(address + (ranges ? 1U : 0U))});
  }
  return std::make_shared<const rules::AddressSet>(std::move(members).build());
}

void commit(NftBatch& batch, const char* what) {
  const auto start = Clock::now();
  const auto done = batch.commit(what);
  const std::chrono::duration<double, std::milli> time = Clock::now() - start;
  if (!done) {
    std::fprintf(stderr, "%s\n", done.error().message().c_str());
    std::exit(1);
  }
  std::printf("%.3f ", time.count());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string kind = argc == 3 ? argv[1] : "";
  if (kind != "hash" && kind != "growing" && kind != "interval") {
    std::fputs("usage: set hash|growing|interval MEMBERS\n", stderr);
    return 2;
  }
  const bool ranges = kind == "interval";
  const auto count = static_cast<std::uint32_t>(std::atoi(argv[2]));
  auto socket = fwd::kernel::NetlinkSocket::open(NETLINK_NETFILTER);
  if (!socket) return 1;
  NftBatch whole(*socket);
  const auto addresses = members(ranges, 0, count);
  auto set =
      rules::part_of("big", {rules::Family::V4, ranges}, rules::kinds_of(*addresses), addresses);
  if (kind == "growing") set.room = 0;
  whole.add_table(kTable, "");
  whole.add_set(kTable, set.without_members());
  whole.add_members(kTable, set);
  commit(whole, "load a set");
  NftBatch one(*socket);
  set.addresses = members(ranges, count, 1);
  one.add_members(kTable, set);
  commit(one, "add a member");
  std::printf("\n");
}

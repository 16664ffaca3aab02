// The half of fwd/kernel/nft_reader.h that reads counters by name.
#include <algorithm>
#include <cerrno>

#include <libnftnl/common.h>
#include <libnftnl/object.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "fwd/kernel/nft_reader.h"
#include "fwd/owned.h"

namespace fwd::kernel {
namespace {

constexpr const char* kReadCounters = "read the table's counters";

// One after the other, the last with an acknowledgement; calls `each` with the name and the packets of those that are
// there.
template <typename Names, typename Each>
Result<void> request_counters(NetlinkSocket& socket, const std::string& table, const Names& names,
                              CounterAccess access, int tolerated, Each each) {
  constexpr std::size_t kMessageRoom = 512;
  std::vector<char> requests(names.size() * kMessageRoom);
  const std::uint16_t type = access == CounterAccess::Reset ? NFT_MSG_GETOBJ_RESET : NFT_MSG_GETOBJ;
  std::size_t length = 0;
  std::uint32_t sequence = 0;
  for (const auto& name : names) {
    const std::uint16_t flags = &name == &names.back() ? NLM_F_ACK : 0;
    sequence = socket.next_sequence();
    nlmsghdr* message =
        nftnl_nlmsg_build_hdr(requests.data() + length, type, NFPROTO_INET, flags, sequence);
    const Owned<nftnl_obj, nftnl_obj_free> wanted(nftnl_obj_alloc());
    nftnl_obj_set_str(wanted.get(), NFTNL_OBJ_TABLE, table.c_str());
    nftnl_obj_set_str(wanted.get(), NFTNL_OBJ_NAME, std::string(name).c_str());
    nftnl_obj_set_u32(wanted.get(), NFTNL_OBJ_TYPE, NFT_OBJECT_COUNTER);
    nftnl_obj_nlmsg_build_payload(message, wanted.get());
    length += NLMSG_ALIGN(message->nlmsg_len);
  }
  const auto answer = [&](const nlmsghdr& message) {
    const Owned<nftnl_obj, nftnl_obj_free> one(nftnl_obj_alloc());
    if (nftnl_obj_nlmsg_parse(&message, one.get()) < 0) return;
    each(nftnl_obj_get_str(one.get(), NFTNL_OBJ_NAME),
         nftnl_obj_get_u64(one.get(), NFTNL_OBJ_CTR_PKTS));
  };
  return socket.request(std::as_bytes(std::span(requests.data(), length)), sequence, kReadCounters,
                        answer, tolerated);
}

}  // namespace

Result<std::vector<std::uint64_t>> read_counters(NetlinkSocket& socket, const std::string& table,
                                                 std::span<const char* const> names,
                                                 CounterAccess access) {
  std::vector<std::uint64_t> packets;
  auto done =
      request_counters(socket, table, names, access, 0,
                       [&](const std::string&, std::uint64_t count) { packets.push_back(count); });
  if (!done) return std::unexpected(done.error());
  if (packets.size() != names.size()) return failed(kReadCounters, EBADMSG);
  return packets;
}

Result<std::map<std::string, std::uint64_t>> find_counters(NetlinkSocket& socket,
                                                           const std::string& table,
                                                           std::span<const std::string> names) {
  constexpr std::size_t kAtOnce = 64;  // as many answers as a socket's buffer has room for
  std::map<std::string, std::uint64_t> found;
  while (!names.empty()) {
    const auto some = names.first(std::min(kAtOnce, names.size()));
    names = names.subspan(some.size());
    auto done = request_counters(
        socket, table, some, CounterAccess::Read, ENOENT,
        [&](const std::string& name, std::uint64_t count) { found.emplace(name, count); });
    if (!done) return std::unexpected(done.error());
  }
  return found;
}

}  // namespace fwd::kernel

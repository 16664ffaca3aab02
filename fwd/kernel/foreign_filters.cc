#include "fwd/kernel/foreign_filters.h"

#include <algorithm>

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "fwd/kernel/nft_reader.h"
#include "fwd/kernel/table.h"

namespace fwd::kernel {
namespace {

// Nothing for a family whose packets the host doesn't take itself.
const char* family_name(std::uint32_t family) {
  switch (family) {
    case NFPROTO_INET:
      return "inet";
    case NFPROTO_IPV4:
      return "ip";
    case NFPROTO_IPV6:
      return "ip6";
    default:
      return nullptr;
  }
}

bool may_drop(const BaseChain& chain) {
  const bool host = chain.hook == NF_INET_LOCAL_IN || chain.hook == NF_INET_LOCAL_OUT;
  return host && chain.type == "filter" && (chain.rules > 0 || chain.policy == NF_DROP);
}

bool ours(std::uint32_t family, const std::string& table) {
  return family == NFPROTO_INET && table == kTableName;
}

// To list chains takes long where there are tens of thousands, as of ours there may be.
Result<bool> has_other_tables(NetlinkSocket& socket) {
  const auto tables = list_tables(socket);
  if (!tables) return std::unexpected(tables.error());
  return std::ranges::any_of(
      *tables, [](const TableName& table) { return !ours(table.family, table.name); });
}

}  // namespace

Result<std::vector<ForeignFilter>> foreign_filters() {
  auto socket = NetlinkSocket::open(NETLINK_NETFILTER);
  if (!socket) return std::unexpected(socket.error());
  const auto others = has_other_tables(*socket);
  if (!others) return std::unexpected(others.error());
  if (!*others) return std::vector<ForeignFilter>{};
  const auto chains = read_base_chains(*socket);
  if (!chains) return std::unexpected(chains.error());
  std::vector<ForeignFilter> found;
  for (const BaseChain& chain : *chains) {
    const char* family = family_name(chain.family);
    if (family == nullptr || ours(chain.family, chain.table) || !may_drop(chain)) continue;
    auto known = std::ranges::find_if(found, [&](const ForeignFilter& filter) {
      return filter.family == family && filter.table == chain.table;
    });
    if (known == found.end()) known = found.insert(found.end(), {family, chain.table});
    (chain.hook == NF_INET_LOCAL_IN ? known->input : known->output) = true;
  }
  return found;
}

}  // namespace fwd::kernel

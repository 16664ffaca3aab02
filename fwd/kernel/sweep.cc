#include "fwd/kernel/sweep.h"

#include <map>
#include <memory>
#include <optional>
#include <set>

#include <ifaddrs.h>
#include <netinet/in.h>

#include "fwd/kernel/conntrack.h"
#include "fwd/kernel/route.h"

namespace fwd::kernel {
namespace {

std::optional<rules::Address> address_of(const sockaddr* address) {
  if (address == nullptr) return std::nullopt;
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    return rules::Address::v4(ntohl(v4->sin_addr.s_addr));
  }
  if (address->sa_family != AF_INET6) return std::nullopt;
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
  const auto word = [&](int at) { return std::uint64_t{ntohl(v6->sin6_addr.s6_addr32[at])}; };
  return rules::Address::v6(word(0) << 32 | word(1), word(2) << 32 | word(3));
}

Result<std::set<rules::Address>> own_addresses() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) < 0) return failed("list this host's addresses");
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> guard(list, freeifaddrs);
  std::set<rules::Address> own;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (const auto address = address_of(at->ifa_addr)) own.insert(*address);
  }
  return own;
}

class Judge {
 public:
  Judge(const SweepOptions& options, const ConnectionJudge& allowed, std::set<rules::Address> own,
        std::optional<Routes> routes)
      : options_(options), allowed_(allowed), own_(std::move(own)), routes_(std::move(routes)) {}

  std::optional<std::uint32_t> operator()(const CtConnection& connection) {
    const std::uint32_t bits = connection.mark & options_.mark.mask;
    if (bits == 0) return std::nullopt;
    // Of a generation's number that comes round again nothing must be left.
    const bool was_approved = state_of(bits) == ConnectionState::Approved;
    const JudgedConnection judged = place(connection.first);
    const bool allow = allowed_(judged.first, judged.direction, judged.interface_index);
    if (allow) ++sweep_.approved;
    if (!allow && was_approved) sweep_.cut.push_back(judged);
    if (!options_.write) return std::nullopt;
    const auto state = allow ? ConnectionState::Approved : ConnectionState::Revoked;
    return options_.mark.encode(state, options_.generation);
  }

  Sweep take() { return std::move(sweep_); }

 private:
  ConnectionState state_of(std::uint32_t bits) const {
    return static_cast<ConnectionState>(bits >> options_.mark.shift() >> 6U);
  }

  JudgedConnection place(const rules::Packet& first) {
    const bool out = own_.contains(first.source);
    const auto direction = out ? rules::Direction::Out : rules::Direction::In;
    return {first, direction, interface_to(out ? first.destination : first.source)};
  }

  unsigned interface_to(const rules::Address& peer) {
    if (!routes_) return 0;
    const auto [at, is_new] = interfaces_.try_emplace(peer, 0);
    if (is_new) at->second = routes_->interface_to(peer);
    return at->second;
  }

  const SweepOptions& options_;
  const ConnectionJudge& allowed_;
  const std::set<rules::Address> own_;
  std::optional<Routes> routes_;
  std::map<rules::Address, unsigned> interfaces_;
  Sweep sweep_;
};

}  // namespace

Result<Sweep> sweep_connections(const SweepOptions& options, const ConnectionJudge& allowed) {
  auto conntrack = Conntrack::open();
  if (!conntrack) return std::unexpected(conntrack.error());
  auto own = own_addresses();
  if (!own) return std::unexpected(own.error());
  std::optional<Routes> routes;
  if (options.by_interface) {
    auto opened = Routes::open();
    if (!opened) return std::unexpected(opened.error());
    routes = std::move(*opened);
  }
  Judge judge(options, allowed, std::move(*own), std::move(routes));
  if (auto done = conntrack->mark_all(options.mark.mask, std::ref(judge)); !done) {
    return std::unexpected(done.error());
  }
  return judge.take();
}

}  // namespace fwd::kernel

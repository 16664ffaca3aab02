#include "tests/bench/dpdk_acl.h"

#include <cstdio>

#ifdef FWD_HAVE_DPDK
#include <bit>
#include <chrono>
#include <vector>

#include <rte_acl.h>
#include <rte_eal.h>
#include <rte_log.h>
#endif

namespace bench {

#ifdef FWD_HAVE_DPDK
namespace {

// What rte_acl reads: network byte order, fields on word boundaries.
struct Key {
  std::uint8_t protocol;
  std::uint8_t unused[3];
  std::uint32_t source;
  std::uint32_t destination;
  std::uint16_t source_port;
  std::uint16_t destination_port;
};

enum Field { Protocol, Source, Destination, SourcePort, DestinationPort, Fields };
RTE_ACL_RULE_DEF(AclRule, Fields);

constexpr rte_acl_field_def kFields[Fields] = {
    {RTE_ACL_FIELD_TYPE_BITMASK, 1, Protocol, 0, offsetof(Key, protocol)},
    {RTE_ACL_FIELD_TYPE_MASK, 4, Source, 1, offsetof(Key, source)},
    {RTE_ACL_FIELD_TYPE_MASK, 4, Destination, 2, offsetof(Key, destination)},
    {RTE_ACL_FIELD_TYPE_RANGE, 2, SourcePort, 3, offsetof(Key, source_port)},
    {RTE_ACL_FIELD_TYPE_RANGE, 2, DestinationPort, 3, offsetof(Key, destination_port)},
};

bool start() {
  static const bool started = [] {
    const char* arguments[] = {
        "bench",        "--no-huge",   "--no-pci",       "-m",
        "4096",         "--no-shconf", "--no-telemetry", "--force-max-simd-bitwidth=512",
        "--log-level=1"};
    std::vector<char*> mutable_arguments;
    for (const char* argument : arguments) mutable_arguments.push_back(const_cast<char*>(argument));
    return rte_eal_init(static_cast<int>(mutable_arguments.size()), mutable_arguments.data()) >= 0;
  }();
  return started;
}

std::uint32_t prefix_bits(std::uint32_t first, std::uint32_t last) {
  return static_cast<std::uint32_t>(std::countl_zero(first ^ last));
}

class Acl final : public DpdkAcl {
 public:
  explicit Acl(const tests::FiveTupleSet& set) : rules_{set.rules.size()} {
    for (const auto& header : set.headers) {
      keys_.push_back({header.protocol,
                       {},
                       __builtin_bswap32(header.source),
                       __builtin_bswap32(header.destination),
                       __builtin_bswap16(header.source_port),
                       __builtin_bswap16(header.destination_port)});
    }
    for (const Key& key : keys_) places_.push_back(&key.protocol);
    results_.resize(keys_.size());
  }
  ~Acl() override { rte_acl_free(context_); }
  Acl(const Acl&) = delete;
  Acl& operator=(const Acl&) = delete;

  bool build(const tests::FiveTupleSet& set) {
    rte_acl_param parameters{};
    parameters.name = "bench";
    parameters.rule_size = RTE_ACL_RULE_SZ(Fields);
    parameters.max_rule_num = static_cast<std::uint32_t>(set.rules.size());
    context_ = rte_acl_create(&parameters);
    if (context_ == nullptr) return false;
    for (std::size_t i = 0; i < set.rules.size(); ++i) {
      if (!add(set.rules[i], i)) return false;
    }
    rte_acl_config config{};
    config.num_categories = 1;
    config.num_fields = Fields;
    for (std::size_t i = 0; i < Fields; ++i) config.defs[i] = kFields[i];
    const auto start = std::chrono::steady_clock::now();
    const bool built = rte_acl_build(context_, &config) == 0;
    seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return built;
  }

  bool choose(std::string_view algorithm) override {
    const auto number = algorithm == "avx2" ? RTE_ACL_CLASSIFY_AVX2 : RTE_ACL_CLASSIFY_AVX512X32;
    return rte_acl_set_ctx_classify(context_, number) == 0;
  }

  std::size_t classify(std::size_t begin, std::size_t end) const override {
    constexpr std::size_t kBatch = 32;
    std::size_t sum = 0;
    for (std::size_t at = begin; at < end; at += kBatch) {
      const std::size_t count = std::min(kBatch, end - at);
      rte_acl_classify(context_, places_.data() + at, results_.data() + at,
                       static_cast<std::uint32_t>(count), 1);
      sum += results_[at];
    }
    return sum;
  }

  double build_seconds() const override { return seconds_; }
  std::size_t match(std::size_t at) const override {
    return results_[at] == 0 ? rules_ : results_[at] - 1;
  }

 private:
  bool add(const tests::FiveTupleRule& from, std::size_t index) {
    AclRule rule{};
    rule.data.userdata = static_cast<std::uint32_t>(index + 1);
    rule.data.category_mask = 1;
    rule.data.priority = static_cast<std::int32_t>(RTE_ACL_MAX_PRIORITY - index);
    rule.field[Protocol].value.u8 = from.protocol.value_or(0);
    rule.field[Protocol].mask_range.u8 = from.protocol ? 0xff : 0;
    rule.field[Source].value.u32 = from.source_first;
    rule.field[Source].mask_range.u32 = prefix_bits(from.source_first, from.source_last);
    rule.field[Destination].value.u32 = from.destination_first;
    rule.field[Destination].mask_range.u32 =
        prefix_bits(from.destination_first, from.destination_last);
    rule.field[SourcePort].value.u16 = from.source_ports.first;
    rule.field[SourcePort].mask_range.u16 = from.source_ports.last;
    rule.field[DestinationPort].value.u16 = from.destination_ports.first;
    rule.field[DestinationPort].mask_range.u16 = from.destination_ports.last;
    return rte_acl_add_rules(context_, reinterpret_cast<const rte_acl_rule*>(&rule), 1) == 0;
  }

  std::size_t rules_;
  rte_acl_ctx* context_ = nullptr;
  std::vector<Key> keys_;
  mutable std::vector<const std::uint8_t*> places_;
  mutable std::vector<std::uint32_t> results_;
  double seconds_ = 0;
};

}  // namespace

std::unique_ptr<DpdkAcl> DpdkAcl::make(const tests::FiveTupleSet& set) {
  if (!start()) {
    std::fprintf(stderr, "skipped: rte_acl (its environment doesn't start)\n");
    return nullptr;
  }
  auto acl = std::make_unique<Acl>(set);
  if (acl->build(set)) return acl;
  std::fprintf(stderr, "skipped: rte_acl (it can't build %zu rules)\n", set.rules.size());
  return nullptr;
}
#else
std::unique_ptr<DpdkAcl> DpdkAcl::make(const tests::FiveTupleSet&) {
  static const bool said =
      std::fprintf(stderr, "skipped: rte_acl (built without libdpdk-dev)\n") > 0;
  static_cast<void>(said);
  return nullptr;
}
#endif

}  // namespace bench

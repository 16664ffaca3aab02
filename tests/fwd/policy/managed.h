// A PolicyManager on a folder of its own, with a fake kernel and an engine without queues.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <catch2/catch.hpp>

#include "fwd/policy/manager.h"
#include "tests/fwd/policy/fake_firewall.h"
#include "tests/fwd/scratch.h"

namespace fwd::test {

class NoSink final : public engine::RecordSink {
 public:
  std::size_t push(unsigned, std::span<const audit::VerdictRecord> records) noexcept override {
    return records.size();
  }
};

// As it is opened from 203.0.113.7:51514 to a port of 10.0.0.11.
inline kernel::JudgedConnection connection_to(std::uint16_t port) {
  rules::Packet first;
  first.source = *rules::parse_address("203.0.113.7");
  first.destination = *rules::parse_address("10.0.0.11");
  first.protocol = rules::protocol::kTcp;
  first.has_ports = true;
  first.source_port = 51514;
  first.destination_port = port;
  return {first, rules::Direction::In};
}

class Managed {
 public:
  explicit Managed(const std::string& text, bool start = true) {
    scratch.write("policy.fw", text);
    const policy::PolicyStore store(scratch.path("policy.fw"));
    const policy::ReadServices services = [] {
      return std::string("ssh 22/tcp\nhttp 80/tcp\nhttps 443/tcp\n");
    };
    auto loaded = policy::load(store, services, {});
    REQUIRE(loaded);
    const policy::Connections connections{
        [this](kernel::Generation generation, const kernel::ConnectionJudge&) {
          firewall.calls.push_back("adopt " + std::to_string(generation));
          return Result<kernel::AdoptedCounts>(kernel::AdoptedCounts{});
        },
        [this](const kernel::SweepOptions& options, const kernel::SweepJudge& judge) {
          return sweep(options, judge);
        }};
    const policy::Announcements announce{
        [this](const policy::Active& active) { announced = active->version; },
        [this](const audit::VerdictRecord& record) { records.push_back(record); }};
    manager = std::make_unique<policy::PolicyManager>(
        store, state.path(),
        policy::Installer(engine, firewall,
                          policy::Lease(engine, firewall, std::chrono::seconds(3)), connections,
                          announce),
        services, std::move(*loaded));
    if (!start) return;
    REQUIRE(manager->start());
    firewall.calls.clear();
  }

  std::string text() const { return scratch.read("policy.fw"); }
  unsigned generation() const { return manager->state()->active->generation; }
  // The kernel, the workers and the file have the policy that state() tells of.
  bool consistent() const {
    const auto now = manager->state();
    const bool kernel = firewall.table && firewall.table->generation == now->active->generation &&
                        firewall.table->policy_hash == now->active->policy.hash;
    return kernel && engine.policy() == now->active && text() == now->sources().main.text;
  }

  // As the kernel would: what is denied is cut once.
  Result<kernel::Sweep> sweep(const kernel::SweepOptions& options,
                              const kernel::SweepJudge& judge) {
    before_sweep(options.generation);
    if (fail_sweep) return failed("list conntrack's entries", EPERM);
    kernel::Sweep swept;
    std::erase_if(live, [&](const kernel::JudgedConnection& one) {
      const auto verdict = judge(one);
      if (verdict != kernel::SweepVerdict::Revoke && verdict != kernel::SweepVerdict::Reject)
        return false;
      swept.cut.push_back(one);
      return options.write;
    });
    return swept;
  }

  Scratch scratch;
  Scratch state;
  NoSink sink;
  engine::Engine engine{{}, sink};
  FakeFirewall firewall;
  std::uint64_t announced = 0;
  std::vector<kernel::JudgedConnection> live;
  std::vector<audit::VerdictRecord> records;
  bool fail_sweep = false;
  std::function<void(kernel::Generation)> before_sweep = [](kernel::Generation) {};
  std::unique_ptr<policy::PolicyManager> manager;
};

}  // namespace fwd::test

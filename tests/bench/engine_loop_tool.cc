// The engine without the daemon around it: workers, ten rules and the kernel's table, records
// thrown away. Between the bare loop and the daemon it shows where the time goes. It ends on
// SIGTERM.
//     engine_loop QUEUE PORT [table]
// With `table` the product's chains are in force; without, the caller's own rule must queue.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "fwd/engine/engine.h"
#include "fwd/kernel/queue.h"
#include "fwd/kernel/table.h"

namespace {

using namespace std::chrono_literals;

constexpr unsigned kRules = 10;
constexpr auto kLease = 2000ms;
constexpr auto kRenewal = 500ms;

class NoSink final : public fwd::engine::RecordSink {
 public:
  std::size_t push(unsigned, std::span<const fwd::audit::VerdictRecord> records) noexcept override {
    return records.size();
  }
};

// The last rule is the one that lets the flood in.
rules::Policy ten_rules(std::uint16_t port) {
  rules::Policy policy;
  for (unsigned number = 0; number < kRules; ++number) {
    const auto allowed = static_cast<std::uint16_t>(port + number + 1 - kRules);
    rules::Rule rule;
    rule.action = rules::Action::Allow;
    rule.match.protocols = {{rules::protocol::kUdp, {}, {}}};
    rule.match.destination_ports = {{allowed, allowed}};
    rule.id = std::to_string(number);
    policy.rules.push_back(std::move(rule));
  }
  return policy;
}

template <typename T>
T must(fwd::Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().message().c_str());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

int block_sigterm() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return signalfd(-1, &signals, SFD_CLOEXEC);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: engine_loop QUEUE PORT [table]\n", stderr);
    return 2;
  }
  const auto number = static_cast<std::uint16_t>(std::atoi(argv[1]));
  const auto policy = ten_rules(static_cast<std::uint16_t>(std::atoi(argv[2])));
  const bool with_table = argc > 3 && std::string_view(argv[3]) == "table";
  const int terminated = block_sigterm();

  std::vector<std::unique_ptr<fwd::kernel::PacketSource>> sources;
  sources.push_back(must(fwd::kernel::Queue::open(number)));
  NoSink sink;
  fwd::engine::Engine engine(std::move(sources), sink);
  engine.publish(
      std::make_shared<const fwd::engine::ActivePolicy>(policy, 1, 1, fwd::Mode::Enforce, 1));
  must(engine.start());

  std::unique_ptr<fwd::kernel::Firewall> firewall;
  if (with_table) {
    fwd::kernel::TableSettings settings;
    settings.queues = {number, number};
    firewall = must(fwd::kernel::open_firewall(settings));
    must(firewall->commit(policy, 1, fwd::Mode::Enforce));
  }
  pollfd ready{.fd = terminated, .events = POLLIN, .revents = 0};
  do {
    if (firewall) must(firewall->renew_lease(kLease));
  } while (poll(&ready, 1, static_cast<int>(kRenewal.count())) == 0);
  engine.stop();

  const auto totals = engine.packet_totals();
  const auto queue = engine.queue_totals().front();
  std::printf("packets %lu batches %lu decided within: half %ld ns, 99%% %ld ns\n",
              totals.packet_count(), totals.batches, totals.verdict_time(0.5).count(),
              totals.verdict_time(0.99).count());
  std::printf("overruns %lu unsent %lu gone %lu unreadable %lu\n", queue.overruns, queue.unsent,
              queue.gone, queue.unreadable);
}

#include "fwd/engine/engine.h"

#include <algorithm>
#include <csignal>
#include <iterator>
#include <limits>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/core.h>
#include <pthread.h>

#include "fwd/engine/clock.h"

namespace fwd::engine {
namespace {

// Threads inherit the mask of the one that starts them, and signals are the main thread's business.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

QueueTotals totals_of(const Worker& worker) {
  PacketTotals packets;
  packets.add(worker.counters());
  const auto& source = worker.source_counters();
  return {.queue = worker.queue(),
          .packets = packets.packet_count(),
          .overruns = source.overruns.value(),
          .truncated = source.truncated.value(),
          .unreadable = source.unreadable.value(),
          .unsent = source.unsent.value(),
          .send_retries = source.send_retries.value(),
          .gone = source.gone.value(),
          .refused = source.refused.value(),
          .failure = worker.failure()};
}

}  // namespace

Engine::Engine(std::vector<std::unique_ptr<kernel::PacketSource>> sources, RecordSink& sink,
               std::uint32_t shed_above) {
  for (auto& source : sources) {
    const auto number = static_cast<unsigned>(workers_.size());
    workers_.push_back(
        std::make_unique<Worker>(number, std::move(source), board_, sink, shed_above));
  }
}

Engine::~Engine() {
  stop();
}

Result<void> Engine::start() {
  if (!policy()) return failed("start the workers before there is a policy", 0);
  const SignalsBlocked blocked;
  for (auto& worker : workers_) {
    const std::size_t number = threads_.size();
    try {
      threads_.emplace_back([&worker = *worker] { worker.run(); });
    } catch (const std::system_error& error) {
      return failed(fmt::format("start worker {}", number), error.code().value());
    }
    pthread_setname_np(threads_.back().native_handle(),
                       fmt::format("fwd-worker{}", number).c_str());
  }
  return {};
}

void Engine::stop() {
  for (auto& worker : workers_) worker->stop();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

void Engine::publish(std::shared_ptr<const ActivePolicy> policy) {
  const std::lock_guard lock(mutex_);
  policy_ = std::move(policy);
  history_.begin(policy_, snapshots_ + 1);
  post();
}

void Engine::let_go_of_retired() {
  const std::lock_guard lock(mutex_);
  history_.fold(oldest_snapshot_in_use());
}

void Engine::publish_interfaces(std::vector<InterfaceName> interfaces) {
  const std::lock_guard lock(mutex_);
  interfaces_ = std::move(interfaces);
  if (policy_) post();
}

void Engine::post() {
  board_.post(std::make_shared<const Snapshot>(Snapshot{++snapshots_, policy_,
                                                        InterfaceMap(policy_->rules, interfaces_),
                                                        services_.places(policy_->services)}));
}

std::shared_ptr<const ActivePolicy> Engine::policy() const {
  const std::lock_guard lock(mutex_);
  return policy_;
}

Hold Engine::hold(std::chrono::milliseconds bound) {
  std::vector<std::unique_lock<std::timed_mutex>> locks;
  bool complete = true;
  for (auto& worker : workers_) {
    // By the system clock: GCC 12's ThreadSanitizer doesn't know how a timed_mutex waits by the
    // other (pthread_mutex_clocklock). A clock that steps back prolongs the wait by no more than a
    // batch.
    std::unique_lock lock(worker->batch_mutex(), std::chrono::system_clock::now() + bound);
    complete = complete && lock.owns_lock();
    if (lock.owns_lock()) locks.push_back(std::move(lock));
  }
  return Hold(std::move(locks), complete);
}

bool Engine::healthy(std::chrono::milliseconds max_age) const {
  const auto time = now(CLOCK_MONOTONIC);
  return std::all_of(workers_.begin(), workers_.end(), [&](const auto& worker) {
    const auto beat = worker->heartbeat();
    return worker->failure() == 0 && beat.count() != 0 && time - beat <= max_age;
  });
}

std::vector<rules::Address> Engine::take_heavy_sources() {
  std::vector<rules::Address> sources;
  for (auto& worker : workers_)
    std::ranges::move(worker->take_heavy_sources(), std::back_inserter(sources));
  return sources;
}

PacketTotals Engine::packet_totals() const {
  PacketTotals totals;
  for (const auto& worker : workers_) totals.add(worker->counters());
  return totals;
}

std::vector<ServiceTotals> Engine::connection_totals() const {
  std::vector<ServiceTotals> totals;
  const std::lock_guard lock(mutex_);
  totals.reserve(services_.names().size());
  for (const std::string& name : services_.names()) totals.push_back({name, {}});
  for (std::size_t place = 0; place < totals.size(); ++place) {
    for (const auto& worker : workers_) {
      const auto& counts = worker->counters().connections[place];
      for (std::size_t action = 0; action < kActions; ++action)
        totals[place].connections[action] += counts[action].value();
    }
  }
  return totals;
}

std::vector<QueueTotals> Engine::queue_totals() const {
  std::vector<QueueTotals> totals;
  totals.reserve(workers_.size());
  for (const auto& worker : workers_) totals.push_back(totals_of(*worker));
  return totals;
}

RuleTotals Engine::rule_totals(std::size_t most) const {
  const std::lock_guard lock(mutex_);
  history_.fold(oldest_snapshot_in_use());
  return history_.totals(most);
}

std::uint64_t Engine::packets(const rules::Rule& rule) const {
  const std::lock_guard lock(mutex_);
  return history_.packets(rule);
}

std::uint64_t Engine::oldest_snapshot_in_use() const {
  std::uint64_t oldest = std::numeric_limits<std::uint64_t>::max();
  for (const auto& worker : workers_) oldest = std::min(oldest, worker->snapshot_in_use());
  return oldest;
}

}  // namespace fwd::engine

// The daemon's start and end; what it does in between is in daemon_events.cc.
#include "fwd/daemon.h"

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include <cap-ng.h>
#include <fmt/core.h>
#include <malloc.h>
#include <unistd.h>

#include "fwd/audit/frames.h"
#include "fwd/control/changes.h"
#include "fwd/control/listener.h"
#include "fwd/flow_records.h"
#include "fwd/host.h"
#include "fwd/kernel/queue.h"
#include "fwd/log.h"
#include "fwd/notify.h"
#include "fwd/owner_lookup.h"
#include "fwd/state_lock.h"
#include "rules/count.h"

namespace fwd {
namespace {

constexpr std::initializer_list<int> kSignals = {SIGTERM, SIGINT, SIGHUP};
constexpr std::chrono::seconds kFirstRound{2};  // workers come round every kernel::kTick

// Bytes. A block of this size is mapped by itself: what is reserved in it takes no memory before it is used, and all of it
// is given back at once. Left to itself the allocator raises that limit with each large block freed. What is smaller comes
// from memory that the last change has left: a page that is mapped anew costs ten times what is done with it.
constexpr int kLargeBlock = 1 << 20;
constexpr int kKeptFree = 4 << 20;

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

std::vector<audit::OutputSettings> outputs(const AuditSettings& settings) {
  std::vector<audit::OutputSettings> outputs;
  if (!settings.journal.empty())
    outputs.push_back({"journal", settings.journal, audit::append_journal_entry});
  if (!settings.syslog.empty()) {
    const audit::SyslogMessage message(host_name(), settings.syslog_facility);
    outputs.push_back(
        {"syslog", settings.syslog,
         [message](std::string& out, std::string_view line) { message.append(out, line); }});
  }
  return outputs;
}

Result<void> make_parent(const std::string& path) {
  const auto parent = std::filesystem::absolute(path).parent_path();
  std::error_code error;
  std::filesystem::create_directories(parent, error);
  if (error) return failed("make " + parent.string(), error.value());
  return {};
}

template <typename T, typename Into>
Result<void> keep(Result<T> made, Into& into) {
  if (!made) return std::unexpected(std::move(made.error()));
  into = std::move(*made);
  return {};
}

}  // namespace

int run_daemon(const Options& options) {
  set_up_log(LogLevel::Info);
  mallopt(M_MMAP_THRESHOLD, kLargeBlock);
  mallopt(M_TRIM_THRESHOLD, kKeptFree);
  block_signals(kSignals);
  signal(SIGPIPE, SIG_IGN);
  Daemon daemon(options);
  if (auto started = daemon.start(); !started) {
    log::error("{}", started.error().message());
    return daemon.exit_status();
  }
  if (auto ran = daemon.run(); !ran) {
    log::error("{}", ran.error().message());
    return kExitFailure;
  }
  return 0;
}

Result<void> Daemon::start() {
  using Step = Result<void> (Daemon::*)();
  static constexpr Step kSteps[] = {
      &Daemon::read_settings, &Daemon::check_capabilities,
      &Daemon::load_policy,   &Daemon::lock_state,
      &Daemon::open_socket,   &Daemon::open_kernel,
      &Daemon::open_audit,    &Daemon::bind_queues,
      &Daemon::put_in_force,  &Daemon::watch_flows,
      &Daemon::keep_watch,    &Daemon::start_workers,
      &Daemon::watch_events,  &Daemon::serve,
  };
  for (const Step step : kSteps) {
    if (auto done = (this->*step)(); !done) return done;
  }
  return {};
}

Result<void> Daemon::read_settings() {
  auto settings = fwd::read_settings(options_.config);
  if (!settings) {
    exit_status_ = kExitUsage;
    return std::unexpected(settings.error());
  }
  settings_ = *settings;
  if (options_.queues) settings_.queues = *options_.queues;
  set_up_log(settings_.log_level);
  return {};
}

Result<void> Daemon::lock_state() {
  return keep(fwd::lock_state(options_.state_directory()), lock_);
}

// Before anything is changed, so that a second daemon on this socket changes nothing.
Result<void> Daemon::open_socket() {
  if (auto made = make_parent(options_.socket); !made) return made;
  auto opened = keep(control::listen_on(options_.socket), listener_);
  listening_ = opened.has_value();
  return opened;
}

Result<void> Daemon::check_capabilities() {
  if (capng_get_caps_process() != 0) return failed("read our capabilities", 0);
  if (capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN) != 0) return {};
  return failed(
      "fwd needs CAP_NET_ADMIN: start it as root, or with that capability as the systemd unit does",
      0);
}

// A broken policy ends the start here, before anything in the kernel is touched.
Result<void> Daemon::load_policy() {
  auto loaded = policy::load(policy::PolicyStore(options_.policy), read_services, {});
  if (!loaded) {
    exit_status_ = kExitUsage;
    print_diagnostics(loaded.error().diagnostics);
    return failed(loaded.error().message, 0);
  }
  for (const rules::Diagnostic& warning : loaded->built.warnings) {
    log::warning("{}", policy::message_of(warning));
  }
  loaded_ = std::move(*loaded);
  return {};
}

Result<void> Daemon::open_kernel() {
  const auto table = table_settings(settings_, options_.state_directory());
  if (auto opened = keep(kernel::open_firewall(table), firewall_); !opened) return opened;
  if (auto opened = keep(kernel::LimitLog::open(settings_.nflog_group), limit_log_); !opened)
    return opened;
  return keep(kernel::Links::open(), links_);
}

Result<void> Daemon::open_audit() {
  if (auto made = make_parent(options_.audit); !made) return made;
  return keep(
      audit::Writer::open(
          {.path = options_.audit,
           .state_directory = options_.state_directory(),
           .hostname = host_name(),
           .format = settings_.audit.format,
           .workers = settings_.queues.count(),
           .ring_records = settings_.audit.ring_records,
           .lines_per_second = settings_.audit.fold_above,
           .block_when_full = settings_.audit.block_when_full,
           .rotate_size = settings_.audit.rotate_size,
           .keep = settings_.audit.keep,
           .outputs = outputs(settings_.audit),
           .interface_names = [this](std::uint32_t index) { return link_names_.name(index); },
           .owners = [owners = std::make_shared<OwnerLookup>(host_owners())](
                         const audit::VerdictRecord& record) { return owners->of(record); }}),
      audit_);
}

Result<void> Daemon::bind_queues() {
  std::vector<std::unique_ptr<kernel::PacketSource>> sources;
  for (unsigned number = settings_.queues.first; number <= settings_.queues.last; ++number) {
    auto queue = kernel::Queue::open(static_cast<std::uint16_t>(number),
                                     {.max_packets = settings_.queue_length});
    if (!queue) return std::unexpected(queue.error());
    sources.push_back(std::move(*queue));
  }
  engine_ = std::make_unique<engine::Engine>(std::move(sources), *audit_, settings_.shed_above);
  lease_.emplace(*engine_, *firewall_, settings_.lease);
  read_links();
  return {};
}

Result<void> Daemon::put_in_force() {
  const policy::Announcements announce{
      [this](const policy::Active& active) { audit_->policy(active); },
      [this](const audit::VerdictRecord& record) { audit_->push_change(record); }};
  policy_ = std::make_unique<policy::PolicyManager>(
      policy::PolicyStore(options_.policy), options_.state_directory(),
      policy::Installer(*engine_, *firewall_, *lease_, policy::host_connections(settings_.ct_mark),
                        announce),
      read_services, std::move(*loaded_));
  loaded_.reset();
  return policy_->start();
}

// A host that can't tell is filtered all the same.
Result<void> Daemon::watch_flows() {
  if (!settings_.audit.flows) return {};
  auto flows = ConntrackFlows::open(settings_.ct_mark, [this] { return policy_->state()->active; });
  if (flows) {
    audit_->flows(std::move(*flows));
  } else {
    log::error("audit: {}; the ends of connections are not recorded", flows.error().message());
  }
  return {};
}

Result<void> Daemon::keep_watch() {
  copy_watch_ = std::make_unique<CopyWatch>(
      *firewall_,
      [this] {
        std::uint64_t overruns = 0;
        for (const engine::QueueTotals& queue : engine_->queue_totals()) overruns += queue.overruns;
        return overruns;
      },
      [this](audit::HealthEvent event) { audit_->event(std::move(event)); });
  keep_alive_ = std::make_unique<KeepAlive>(
      *lease_, *firewall_, *policy_,
      KeepAliveActions{.feed_watchdog = [] { notify("WATCHDOG=1"); },
                       .lease_ran_out = [this] { copy_watch_->lease_ran_out(); },
                       .first_lease = [this] { copy_watch_->restarted(); },
                       .restored = [this](const std::string& damage) { tell_restored(damage); }});
  return {};
}

// Nobody is told that we are ready before the workers are: until then the kernel decides alone.
Result<void> Daemon::start_workers() {
  if (auto started = engine_->start(); !started) return started;
  const auto deadline = std::chrono::steady_clock::now() + kFirstRound;
  while (!lease_->healthy()) {
    if (std::chrono::steady_clock::now() > deadline)
      return failed("the workers don't come round", 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  beat();
  return {};
}

Result<void> Daemon::watch_events() {
  if (auto made = keep(EventLoop::make(), loop_); !made) return made;
  reload_ = std::make_unique<BackgroundJob>([this] { reload(); });
  if (auto on = loop_->on_signals(kSignals, [this](int signal) { handle_signal(signal); }); !on)
    return on;
  if (auto on = loop_->every(KeepAlive::interval(settings_.lease), [this] { beat(); }); !on)
    return on;
  if (settings_.shed_above > 0) {
    if (auto on = loop_->every(kernel::kTick, [this] { shed_sources(); }); !on) return on;
  }
  if (auto on = loop_->watch(links_->fd(), [this] { read_links(); }); !on) return on;
  return loop_->watch(limit_log_->fd(), [this] { read_limit_log(); });
}

Result<void> Daemon::serve() {
  context_ = std::make_unique<control::Context>(control::Context{
      .policy = *policy_,
      .engine = *engine_,
      .firewall = *firewall_,
      .audit_state = [this] { return audit_->state(); },
      .kernel_copy = [this] { return copy_watch_->state(); },
      .healthy = [this] { return lease_->healthy(); },
      .warnings = [this] { return warnings(); },
      .record = [this](audit::AdminEvent event) { audit_->event(std::move(event)); },
      .audit_file = options_.audit,
      .queues = settings_.queues,
      .queue_length = settings_.queue_length,
  });
  metrics_ = std::make_unique<metrics::Publisher>(*context_, settings_.metrics);
  auto routes = control::routes(*context_);
  routes.push_back(metrics_->route());
  refusals_ = control::recorded_refusals(*context_);
  control::Router router(std::move(routes), control::Access::look_up(settings_.control, geteuid()),
                         [this](const control::Request& request, const std::string& why) {
                           refusals_->add(request, why);
                         });
  if (auto started = keep(control::Server::start(std::move(listener_), std::move(router)), server_);
      !started) {
    return started;
  }
  metrics_->beat();
  malloc_trim(0);  // what the start has left
  changed_version_ = policy_->state()->active->version;
  return loop_->every(std::chrono::seconds(1), [this] {
    server_->sweep();
    refusals_->close_before();
    metrics_->beat();
    give_back_memory();
  });
}

Result<void> Daemon::run() {
  const engine::ActivePolicy& active = *policy_->state()->active;
  log::info("fwd " FWD_VERSION " is running: {} of {}, queues {}-{}, {}",
            rules::count(active.policy.rules.size(), "rule"), options_.policy,
            settings_.queues.first, settings_.queues.last,
            policy_->enabled() ? fmt::format("generation {}", active.generation) : "disabled");
  if (active.mode == Mode::Observe) log::warning("observing only: nothing is refused");
  notify("READY=1");
  auto ran = loop_->run();
  notify("STOPPING=1");
  return ran;
}

Daemon::~Daemon() {
  server_.reset();
  if (refusals_ != nullptr) refusals_->close();
  if (metrics_ != nullptr) metrics_->stop();
  if (listening_) {
    if (unlink(options_.socket.c_str()) != 0)
      log::warning("{}", SystemError{"remove the socket", errno}.message());
  }
  reload_.reset();
  if (engine_ != nullptr) engine_->stop();
  if (audit_ != nullptr) audit_->stop();
}

}  // namespace fwd

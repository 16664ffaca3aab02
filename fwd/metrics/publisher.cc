#include "fwd/metrics/publisher.h"

#include <utility>

#include "fwd/metrics/endpoint.h"

namespace fwd::metrics {
namespace {

// One monitoring system, or a few; each answer is made anew.
constexpr control::Limits kLimits{
    .connections = 16, .connections_per_user = 16, .body_bytes = 0, .header_bytes = 8 << 10};

}  // namespace

Publisher::Publisher(const control::Context& context, MetricsSettings settings)
    : settings_(std::move(settings)), metrics_(context) {
  if (settings_.textfile.empty()) return;
  file_.emplace(settings_.textfile, [this] { return metrics_.text(Detail::NoRules); });
  writer_ = std::make_unique<BackgroundJob>([this] { file_->write(); });
}

Publisher::~Publisher() {
  stop();
}

void Publisher::stop() {
  server_.reset();
  writer_.reset();
}

void Publisher::beat() {
  const auto now = std::chrono::steady_clock::now();
  if (settings_.listen && server_ == nullptr) {
    if (auto started = serve()) {
      server_ = std::move(*started);
      port_.none();
    } else {
      port_.trouble(started.error().message());
    }
  }
  if (server_ != nullptr) server_->sweep();
  if (writer_ != nullptr && now >= next_write_) {
    next_write_ = now + settings_.textfile_interval;
    writer_->want();
  }
}

Result<std::unique_ptr<control::Server>> Publisher::serve() {
  auto listener = listen_on(*settings_.listen);
  if (!listener) return std::unexpected(std::move(listener.error()));
  control::Router router({metrics_.route(Detail::NoRules)}, control::Access::all_read());
  return control::Server::start(std::move(*listener), std::move(router), kLimits,
                                [](int) -> Result<control::Peer> { return control::Peer{}; });
}

std::vector<std::string> Publisher::warnings() const {
  std::vector<std::string> all;
  if (const auto trouble = port_.last(); !trouble.empty())
    all.push_back("the metrics aren't served by TCP: " + trouble);
  if (!file_) return all;
  if (const auto trouble = file_->trouble(); !trouble.empty())
    all.push_back("the metrics' file isn't written: " + trouble);
  return all;
}

}  // namespace fwd::metrics

// The ways by which the metrics leave the daemon: the control socket, a TCP port of this host, a file. The last
// two where the settings say so, and without rule ids: whoever reads there hasn't been authorised.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fwd/background_job.h"
#include "fwd/control/server.h"
#include "fwd/metrics/metrics.h"
#include "fwd/metrics/textfile.h"
#include "fwd/settings.h"

namespace fwd::metrics {

class Publisher {
 public:
  // The context must outlive it.
  Publisher(const control::Context& context, MetricsSettings settings);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  // For the control socket.
  control::Route route() { return metrics_.route(Detail::Whole); }

  // To be called every second or so, from the first one on: opens the port, as long as it can't be opened, ends
  // requests that take too long, and has the file written when its time has come.
  void beat();

  // Nobody reads the metrics any more. The file is there until the end.
  void stop();

  std::vector<std::string> warnings() const;  // any thread

 private:
  Result<std::unique_ptr<control::Server>> serve();

  const MetricsSettings settings_;
  Metrics metrics_;
  std::unique_ptr<control::Server> server_;
  Complaint port_{"metrics"};
  std::optional<Textfile> file_;
  std::unique_ptr<BackgroundJob> writer_;  // a disk may hang, and the main thread must not
  std::chrono::steady_clock::time_point next_write_;
};

}  // namespace fwd::metrics

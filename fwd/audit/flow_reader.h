// The way of connections' ends from the kernel into the log. They wait in the kernel, in a buffer of
// fixed size, until the audit's writer has time for them: what that has no room for is counted there,
// and told here. So they can take nothing from the decisions but lines.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "fwd/audit/drain.h"
#include "fwd/audit/flow.h"
#include "fwd/audit/flow_fold.h"

namespace fwd::audit {

// Of one thread.
class FlowSource {
 public:
  FlowSource() = default;
  FlowSource(const FlowSource&) = delete;
  FlowSource& operator=(const FlowSource&) = delete;
  virtual ~FlowSource() = default;

  virtual int fd() const = 0;  // readable as long as some wait
  // Takes at most `most` of those that wait, and hands on those that are wanted in the log. How many
  // were taken.
  virtual std::size_t read(std::size_t most,
                           const std::function<void(const FlowRecord&)>& each) = 0;
  virtual std::uint64_t lost() = 0;  // since the source was made
};

class FlowReader {
 public:
  FlowReader(std::unique_ptr<FlowSource> source, std::uint32_t lines_per_second);

  int fd() const { return source_->fd(); }

  // Notes what waits, as far as the drain has room. Whether there may be more to come at once.
  // `last`: what was folded or lost is told now and not when its second is over.
  bool read(Drain& drain, bool last);

 private:
  void tell_lost(Drain& drain, std::int64_t now_ns);

  std::unique_ptr<FlowSource> source_;
  FlowFolder folder_;
  std::uint64_t told_ = 0;      // of those lost
  std::int64_t looked_ns_ = 0;  // when lost() was asked last
};

}  // namespace fwd::audit

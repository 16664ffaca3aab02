// A file of metrics for node_exporter's textfile collector, replaced in one step. It stays when the daemon ends: its
// age is what tells that nobody writes it any more.
#pragma once

#include <functional>
#include <string>

#include "fwd/complaint.h"

namespace fwd::metrics {

class Textfile {
 public:
  Textfile(std::string path, std::function<std::string()> text);

  // What keeps it from doing so is logged once, until it is over.
  void write();

  std::string trouble() const { return complaint_.last(); }  // empty while there is none

 private:
  const std::string path_;
  const std::function<std::string()> text_;
  Complaint complaint_;
};

}  // namespace fwd::metrics

// What fwctl top shows, as text or JSON. Board makes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ctl/look.h"
#include "ctl/time_text.h"

namespace ctl::top {

struct Rates {  // connections a second
  double accepted = 0;
  double denied = 0;
};

struct Row {
  std::string name;
  std::string detail;
  std::string action;  // of a rule
  Rates rates;
  std::vector<double> past;  // of both, the oldest first
  std::uint64_t total = 0;   // connections since top was started; of a source, lately
};

struct View {
  Time time;
  double seconds = 0;  // that the rates are of
  std::string host;
  std::string daemon;    // "fwd 0.1.0, up 3 d 4 h, generation 7"
  std::string trouble;   // why there is no answer; empty: there is one
  std::string state;     // "active", "inactive", "observing only"
  bool guarded = false;  // active, and enforced
  std::string copy;      // what the kernel's copy does; empty: nothing
  std::string health;    // of queues and audit log
  bool healthy = true;
  std::string log_trouble;  // why the log can't be read; empty: it can

  Row all;
  std::vector<Row> services;  // the busiest first; likewise the others
  std::vector<Row> rules;
  std::vector<Row> sources;  // that were denied something
};

struct Size {
  std::size_t columns = 100;
  std::size_t lines = 50;
};

// At most so many lines, each with its line end. Without `utf8` nothing but ASCII.
std::string render(const View& view, const Size& size, bool utf8, const Look& look);
std::string render_json(const View& view);  // one line

// A character for each value, or for each few of them so that there are at most `width`; the highest value's is full.
std::string sparkline(const std::vector<double>& values, std::size_t width, bool utf8);

}  // namespace ctl::top

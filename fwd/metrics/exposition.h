// A page of metrics in Prometheus' text format, version 0.0.4. Families stand one after the other: what a
// family's object adds belongs to the family that was begun last.
//
//     Exposition page;
//     page.counter("fwd_packets_total", "Packets that the workers decided.").add({{"hook", "input"}}, 12);
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace fwd::metrics {

struct Label {
  std::string_view name;
  std::string_view value;  // UTF-8
};
using Labels = std::initializer_list<Label>;

class Exposition {
 public:
  class Family {
   public:
    Family& add(Labels labels, std::uint64_t value);
    Family& add(Labels labels, double value);
    Family& add(std::uint64_t value) { return add({}, value); }
    Family& add(double value) { return add({}, value); }

   private:
    friend class Exposition;
    Family(std::string& text, std::string_view name) : text_(text), name_(name) {}

    Family& line(std::string_view suffix, Labels labels, std::string_view value);

    std::string& text_;
    std::string_view name_;
  };

  // `name` must outlive the family; `help` is a sentence without line breaks and backslashes.
  Family counter(std::string_view name, std::string_view help) {
    return begin(name, help, "counter");
  }
  Family gauge(std::string_view name, std::string_view help) { return begin(name, help, "gauge"); }

  // `counts` are those of each bucket alone; the last one, beyond all bounds, has no bound. Bounds and
  // sum are in nanoseconds, and shown in seconds.
  void histogram_of_seconds(std::string_view name, std::string_view help,
                            std::span<const std::uint64_t> bounds,
                            std::span<const std::uint64_t> counts, std::uint64_t sum);

  std::string take() { return std::move(text_); }

 private:
  Family begin(std::string_view name, std::string_view help, std::string_view type);

  std::string text_;
};

}  // namespace fwd::metrics

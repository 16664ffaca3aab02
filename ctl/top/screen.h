// The terminal as a page that is drawn again and again. It is put back as it was, however the program ends (but by SIGKILL).
#pragma once

#include <chrono>
#include <expected>
#include <string>

#include "ctl/api/error.h"
#include "ctl/log/follower.h"
#include "ctl/top/view.h"

namespace ctl::top {

class Screen {
 public:
  enum class Event : std::uint8_t { TimeOver, Quit, Redraw };

  // BadRequest where standard input and output aren't a terminal. One at a time.
  static std::expected<Screen, api::Error> open();
  Screen(Screen&& other) noexcept;
  Screen& operator=(Screen&&) = delete;
  ~Screen();

  Size size() const;

  // From the top left; what was there before is gone. False where nobody sees it any more.
  bool draw(const std::string& lines);

  // Until a key, a signal or a changed size asks for something. A signal that ends programs ends this one here, with the
  // terminal as it was.
  Event wait_until(std::chrono::steady_clock::time_point time);

 private:
  explicit Screen(log::Descriptor signals) : signals_(std::move(signals)) {}
  Event take_signal();

  log::Descriptor signals_;
  bool open_ = true;
};

}  // namespace ctl::top

// Escape sequences are those of xterm's control sequences that every terminal emulator of today has.
#include "ctl/top/screen.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <utility>

#include <fmt/core.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "ctl/arguments.h"

namespace ctl::top {
namespace {

// The alternate screen, no cursor, lines that are too long are cut.
constexpr std::string_view kEnter = "\033[?1049h\033[?25l\033[?7l";
constexpr std::string_view kLeave = "\033[?7h\033[?25h\033[?1049l";

constexpr std::array kEnding{SIGINT, SIGTERM, SIGHUP, SIGQUIT};
constexpr std::array kFatal{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

termios g_before{};  // for the handler of fatal signals

bool write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno != EINTR) return false;
    text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
  }
  return true;
}

void enter() {
  termios raw = g_before;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  write_all(kEnter);
}

// Async-signal-safe.
void leave() {
  write_all(kLeave);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &g_before);
}

extern "C" void leave_and_die(int signal) {
  leave();
  ::raise(signal);  // SA_RESETHAND: now it ends the program
}

sigset_t signals_to_take() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : kEnding) sigaddset(&set, signal);
  sigaddset(&set, SIGTSTP);
  sigaddset(&set, SIGWINCH);
  return set;
}

void die_of(int signal) {
  const sigset_t set = signals_to_take();
  std::signal(signal, SIG_DFL);
  ::raise(signal);
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace

std::expected<Screen, api::Error> Screen::open() {
  if (::isatty(STDOUT_FILENO) != 1 || ::tcgetattr(STDIN_FILENO, &g_before) != 0)
    return std::unexpected(
        usage_error("top needs a terminal: without one use fwctl top --once, or --batch"));
  const sigset_t set = signals_to_take();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  log::Descriptor signals(::signalfd(-1, &set, SFD_CLOEXEC));
  if (signals.get() < 0)
    return std::unexpected(api::Error{api::ErrorCode::Internal, "can't take signals", {}});
  struct sigaction action {};
  action.sa_handler = leave_and_die;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
  for (const int signal : kFatal) ::sigaction(signal, &action, nullptr);
  enter();
  return Screen(std::move(signals));
}

Screen::Screen(Screen&& other) noexcept
    : signals_(std::move(other.signals_)), open_(std::exchange(other.open_, false)) {}

Screen::~Screen() {
  if (open_) leave();
}

Size Screen::size() const {
  winsize window{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0 || window.ws_row == 0)
    return {80, 24};
  return {window.ws_col, window.ws_row};
}

// The last line goes without its end: that would scroll the page.
bool Screen::draw(const std::string& lines) {
  std::string frame = "\033[H";
  for (const char c : lines.substr(0, lines.size() - (lines.empty() ? 0 : 1))) {
    if (c == '\n') frame += "\033[K\r";
    frame += c;
  }
  return write_all(frame + "\033[K\033[J");
}

Screen::Event Screen::wait_until(std::chrono::steady_clock::time_point time) {
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(time - std::chrono::steady_clock::now())
            .count();
    if (left <= 0) return Event::TimeOver;
    std::array<pollfd, 2> entries{{{STDIN_FILENO, POLLIN, 0}, {signals_.get(), POLLIN, 0}}};
    if (::poll(entries.data(), entries.size(), static_cast<int>(left)) < 0 && errno != EINTR)
      return Event::Quit;
    if (entries[1].revents != 0) return take_signal();
    if (entries[0].revents == 0) continue;
    char key = 0;
    if (::read(STDIN_FILENO, &key, 1) != 1) return Event::Quit;  // the terminal is gone
    if (key == 'q' || key == 'Q') return Event::Quit;
  }
}

Screen::Event Screen::take_signal() {
  signalfd_siginfo info{};
  if (::read(signals_.get(), &info, sizeof info) != sizeof info) return Event::Quit;
  const int signal = static_cast<int>(info.ssi_signo);
  if (signal == SIGWINCH) return Event::Redraw;
  leave();
  if (signal != SIGTSTP) {
    open_ = false;
    die_of(signal);
    return Event::Quit;
  }
  ::raise(SIGSTOP);
  enter();  // continued
  return Event::Redraw;
}

}  // namespace ctl::top

#include "fwd/control/changes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/core.h>
#include <pwd.h>
#include <unistd.h>

#include "fwd/files.h"
#include "fwd/log.h"
#include "rules/count.h"

namespace fwd::control {
namespace {

constexpr std::size_t kMostBytes = 1024;  // of a text in a record

std::string shortened(std::string text) {
  if (text.size() <= kMostBytes) return text;
  return text.substr(0, kMostBytes) + "...";
}

std::string user_name(uid_t uid) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
    return {};
  return found->pw_name;
}

std::optional<std::uint32_t> number_in(std::string_view text) {
  std::uint32_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool unset = number == std::numeric_limits<std::uint32_t>::max();
  if (parsed.ec != std::errc() || unset) return std::nullopt;
  return number;
}

// Of a process that may be gone by now.
std::string read_proc(pid_t pid, std::string_view name) {
  return read_file(fmt::format("/proc/{}/{}", pid, name)).value_or(std::string());
}

std::string command_line(pid_t pid) {
  std::string words = read_proc(pid, "cmdline");
  while (words.ends_with('\0')) words.pop_back();
  std::ranges::replace(words, '\0', ' ');
  return shortened(std::move(words));
}

audit::AdminEvent::Actor actor_of(const Request& request) {
  const Peer& peer = request.peer;
  return {.uid = peer.uid,
          .user = user_name(peer.uid),
          .pid = peer.pid,
          .command = command_line(peer.pid),
          .login_uid = number_in(read_proc(peer.pid, "loginuid")),
          .sudo_uid = number_in(request.sudo_uid)};
}

audit::AdminEvent::Point point_of(const Context& context) {
  const engine::ActivePolicy& active = *context.policy.state()->active;
  return {active.generation, active.policy.hash};
}

void tell(const audit::AdminEvent& event) {
  const auto& actor = event.actor;
  const std::string who = actor.uid ? fmt::format("uid {} (pid {})", *actor.uid, actor.pid)
                                    : std::string("several users");
  if (event.refusal.empty()) {
    log::info("{}: {}", who, event.change);
  } else {
    log::info("{} was refused: {}: {}", who, event.change, event.refusal);
  }
}

}  // namespace

Answer recorded(const Context& context, const Request& request, std::string_view action,
                ChangeHandler handler) {
  audit::AdminEvent event;
  event.action = action;
  event.actor = actor_of(request);
  event.before = point_of(context);
  Change change;
  Answer answer = handler(context, request, change);
  if (answer && !change.made) return answer;
  event.after = point_of(context);
  event.change = shortened(change.what.empty() ? std::string(action) : std::move(change.what));
  if (!answer) event.refusal = shortened(answer.error().message);
  tell(event);
  context.record(std::move(event));
  return answer;
}

policy::Outcome<policy::Applied> reload_policy(const Context& context) {
  audit::AdminEvent event;
  event.action = "reload";
  event.actor = {.uid = geteuid(),
                 .user = user_name(geteuid()),
                 .pid = getpid(),
                 .command = command_line(getpid()),
                 .login_uid = std::nullopt,
                 .sudo_uid = std::nullopt};
  event.before = point_of(context);
  auto applied = context.policy.reload();
  event.after = point_of(context);
  event.change = "reload the policy on a signal, whose sender isn't known";
  if (applied) {
    const engine::ActivePolicy& active = *applied->state->active;
    event.change =
        fmt::format("reloaded the policy on a signal, whose sender isn't known: {}, generation {}",
                    rules::count(active.policy.rules.size(), "rule"), active.generation);
  } else {
    event.refusal = shortened(applied.error().message);
  }
  context.record(std::move(event));
  return applied;
}

std::unique_ptr<Refusals> recorded_refusals(const Context& context) {
  const auto describe = [&context](const Request& request, const std::string& why) {
    audit::AdminEvent event;
    event.action = "request";
    event.change = shortened(fmt::format("{} {}", request.method, request.path));
    event.actor = actor_of(request);
    event.before = point_of(context);
    event.after = event.before;
    event.refusal = why;
    return event;
  };
  const auto record = [&context](audit::AdminEvent event) {
    tell(event);
    context.record(std::move(event));
  };
  return std::make_unique<Refusals>(describe, record);
}

}  // namespace fwd::control

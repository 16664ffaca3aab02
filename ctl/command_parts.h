// What commands are made of: ask the daemon, and show its answer as JSON or as text.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include <fmt/core.h>

#include "ctl/api/codec.h"
#include "ctl/arguments.h"
#include "ctl/commands.h"
#include "ctl/time_text.h"

namespace ctl {

// To write a large policy takes the kernel some seconds.
inline constexpr std::chrono::seconds kChangeTimeout{60};

// The body of the daemon's answer.
inline std::expected<std::string, api::Error> ask(const Context& context, const Request& request) {
  auto reply = context.exchange(request);
  if (!reply) return std::unexpected(std::move(reply.error()));
  return body_of(*std::move(reply));
}

template <class Body>
std::expected<Body, api::Error> understand(const std::string& text) {
  auto body = api::decode<Body>(text);
  if (body) return *std::move(body);
  return std::unexpected(api::Error{
      api::ErrorCode::Internal,
      fmt::format("fwd's answer isn't understood, is it of another version? {}", body.error()),
      {}});
}

template <class Body>
std::expected<Body, api::Error> fetch(const Context& context, const Request& request) {
  auto text = ask(context, request);
  if (!text) return std::unexpected(std::move(text.error()));
  return understand<Body>(*text);
}

// With --json the daemon's own words, whatever its version; else what `show(body)` makes of them.
template <class Body, class Show>
Result answer(const Context& context, const Request& request, const Show& show) {
  auto text = ask(context, request);
  if (!text) return std::unexpected(std::move(text.error()));
  if (context.json) return Output{*text + '\n', {}, 0};
  auto body = understand<Body>(*text);
  if (!body) return std::unexpected(std::move(body.error()));
  return show(*body);
}

// Of an option that the command has; nothing where it isn't given.
std::expected<std::optional<Time>, api::Error> moment_option(const Context& context,
                                                             const char* name);

// Where the audit log is: --audit, or what the daemon says.
std::string log_path(const Context& context);

inline std::unexpected<api::Error> usage(std::string_view synopsis) {
  return std::unexpected(usage_error(fmt::format("usage: fwctl {}", synopsis)));
}

}  // namespace ctl

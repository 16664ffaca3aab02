#include "fwd/control/router.h"

#include <optional>
#include <utility>

#include <fmt/core.h>

#include "ctl/api/codec.h"
#include "fwd/log.h"

namespace fwd::control {
namespace {

// What stands for the pattern's `*`, empty where it has none; nothing if the path isn't the
// pattern's.
std::optional<std::string> match(std::string_view pattern, std::string_view path) {
  if (!pattern.ends_with("/*"))
    return pattern == path ? std::optional<std::string>("") : std::nullopt;
  const std::string_view prefix = pattern.substr(0, pattern.size() - 1);
  if (!path.starts_with(prefix) || path.size() == prefix.size()) return std::nullopt;
  const std::string_view rest = path.substr(prefix.size());
  if (rest.find('/') != std::string_view::npos) return std::nullopt;
  return std::string(rest);
}

Response not_permitted(std::string message) {
  return error_response({ctl::api::ErrorCode::NotPermitted, std::move(message), {}});
}

}  // namespace

Response error_response(const ctl::api::Error& error) {
  return {ctl::api::http_status(error.code), ctl::api::encode(ctl::api::ErrorBody{error}), {}};
}

Response error_response(unsigned status, std::string message) {
  const ctl::api::Error error{ctl::api::ErrorCode::BadRequest, std::move(message), {}};
  return {status, ctl::api::encode(ctl::api::ErrorBody{error}), {}};
}

std::expected<const Route*, Response> Router::admit(Request& request) const {
  std::string methods;
  for (const Route& route : routes_) {
    auto argument = match(route.path, request.path);
    if (!argument) continue;
    if (route.method != request.method) {
      methods += (methods.empty() ? "" : ", ") + std::string(route.method);
      continue;
    }
    if (!access_.may(request.peer, route.right)) {
      std::string why = access_.refusal(request.peer, route.right);
      if (route.right == Right::Change && refused_) refused_(request, why);
      return std::unexpected(not_permitted(std::move(why)));
    }
    request.argument = std::move(*argument);
    return &route;
  }
  // Who may not read isn't told what there is.
  if (!access_.may(request.peer, Right::Read)) {
    return std::unexpected(not_permitted(access_.refusal(request.peer, Right::Read)));
  }
  if (methods.empty())
    return std::unexpected(error_response(404, fmt::format("no such path: {}", request.path)));
  Response response = error_response(
      405, fmt::format("{} can't be done on {}, only {}", request.method, request.path, methods));
  response.allow = std::move(methods);
  return std::unexpected(std::move(response));
}

Response Router::run(const Route& route, const Request& request) noexcept try {
  Answer answer = route.handler(request);
  if (!answer) return error_response(answer.error());
  return {200, std::move(*answer), {}, route.content_type};
} catch (const std::exception& exception) {
  log::error("{} {}: {}", request.method, request.path, exception.what());
  return {
      500,
      R"({"error":{"code":"internal","message":"the daemon failed on this request; its log says why","diagnostics":[]}})",
      {}};
}

}  // namespace fwd::control

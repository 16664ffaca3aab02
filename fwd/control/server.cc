#include "fwd/control/server.h"

#include <array>
#include <charconv>
#include <cstdarg>
#include <cstdio>
#include <expected>
#include <string>

#include <microhttpd.h>

#include "ctl/api/audit.h"
#include "fwd/log.h"

namespace fwd::control {
namespace {

// One request on its way in.
struct Exchange {
  Request request;
  const Route* route = nullptr;
};

struct ResponseDestroy {
  void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
};

MHD_Result answer(MHD_Connection* connection, const Response& response) {
  const std::unique_ptr<MHD_Response, ResponseDestroy> message(MHD_create_response_from_buffer(
      response.body.size(), const_cast<char*>(response.body.data()), MHD_RESPMEM_MUST_COPY));
  if (!message) return MHD_NO;
  if (MHD_add_response_header(message.get(), MHD_HTTP_HEADER_CONTENT_TYPE,
                              response.content_type.data()) == MHD_NO)
    return MHD_NO;
  if (!response.allow.empty() && MHD_add_response_header(message.get(), MHD_HTTP_HEADER_ALLOW,
                                                         response.allow.c_str()) == MHD_NO) {
    return MHD_NO;
  }
  return MHD_queue_response(connection, response.status, message.get());
}

const char* header(MHD_Connection* connection, const char* name) {
  return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

MHD_Result collect(void* into, MHD_ValueKind, const char* key, const char* value) {
  static_cast<Request*>(into)->query[key] = value == nullptr ? "" : value;
  return MHD_YES;
}

// Or why it isn't taken. The library checks that the length is a number, and keeps to it.
std::expected<std::size_t, Response> body_length(MHD_Connection* connection, const Limits& limits) {
  if (header(connection, MHD_HTTP_HEADER_TRANSFER_ENCODING) != nullptr) {
    return std::unexpected(error_response(
        MHD_HTTP_LENGTH_REQUIRED, "a body must say its length beforehand (Content-Length)"));
  }
  const char* const text = header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
  if (text == nullptr) return 0;
  const std::string_view digits(text);
  std::size_t length = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (parsed.ec == std::errc{} && length <= limits.body_bytes) return length;
  return std::unexpected(error_response(
      {ctl::api::ErrorCode::TooLarge,
       "the request's body is larger than " + std::to_string(limits.body_bytes) + " bytes",
       {}}));
}

void log_line(void*, const char* format, va_list arguments) {
  std::array<char, 512> line;
  if (std::vsnprintf(line.data(), line.size(), format, arguments) < 0) return;
  std::string_view text(line.data());
  if (text.ends_with('\n')) text.remove_suffix(1);
  log::debug("control: {}", text);
}

}  // namespace

struct Server::Callbacks {
  static void connection(void* server, MHD_Connection* connection, void** context,
                         MHD_ConnectionNotificationCode code) {
    Connections& connections = static_cast<Server*>(server)->connections_;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
      const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
      *context = connections.opened(info->connect_fd);
    } else if (*context != nullptr) {
      connections.closed(static_cast<Connection*>(*context));
    }
  }

  static void completed(void* server, MHD_Connection* connection, void** state,
                        MHD_RequestTerminationCode) {
    delete static_cast<Exchange*>(*state);
    *state = nullptr;
    if (Connection* of = connection_of(connection))
      static_cast<Server*>(server)->connections_.begin_request(*of);
  }

  // Called once with the headers, once for each piece of the body, and once more at its end.
  static MHD_Result request(void* server, MHD_Connection* connection, const char* path,
                            const char* method, const char*, const char* upload,
                            std::size_t* upload_size, void** state) try {
    Server& self = *static_cast<Server*>(server);
    Connection* const of = connection_of(connection);
    if (of == nullptr) return MHD_NO;
    if (*state == nullptr) return begin(self, *of, connection, path, method, state);
    Exchange& exchange = *static_cast<Exchange*>(*state);
    if (*upload_size > 0) {
      exchange.request.body.append(upload, *upload_size);
      *upload_size = 0;
      return MHD_YES;
    }
    return work(self, *of, connection, exchange);
  } catch (const std::exception& exception) {
    log::error("control: {}", exception.what());
    return MHD_NO;
  }

 private:
  static Connection* connection_of(MHD_Connection* connection) {
    const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == nullptr ? nullptr : static_cast<Connection*>(info->socket_context);
  }

  static MHD_Result begin(Server& self, const Connection& of, MHD_Connection* connection,
                          const char* path, const char* method, void** state) {
    auto exchange = std::make_unique<Exchange>();
    exchange->request.peer = of.peer;
    exchange->request.method = method;
    exchange->request.path = path;
    if (const char* sudo_uid = header(connection, ctl::api::kSudoUidHeader))
      exchange->request.sudo_uid = sudo_uid;
    const auto route = self.router_.admit(exchange->request);
    if (!route) return answer(connection, route.error());
    const auto length = body_length(connection, self.limits_);
    if (!length) return answer(connection, length.error());
    exchange->request.body.reserve(*length);
    exchange->route = *route;
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, collect, &exchange->request);
    *state = exchange.release();  // completed() takes it back
    return MHD_YES;
  }

  static MHD_Result work(Server& self, Connection& of, MHD_Connection* connection,
                         const Exchange& exchange) {
    self.connections_.begin_work();
    // Turning the timeout off and on is what makes the library take the handler's time for no
    // idleness.
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
    const Response response = Router::run(*exchange.route, exchange.request);
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT,
                              static_cast<unsigned>(self.limits_.idle.count()));
    self.connections_.end_work(of);
    return answer(connection, response);
  }
};

Result<std::unique_ptr<Server>> Server::start(UniqueFd listener, Router router,
                                              const Limits& limits, PeerOf peer_of) {
  std::unique_ptr<Server> server(new Server(std::move(router), limits, peer_of));
  // The library's own limit leaves room for those that are told that there are too many.
  const unsigned most = 2 * limits.connections;
  server->daemon_ = MHD_start_daemon(
      MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG, 0, nullptr, nullptr, &Callbacks::request,
      server.get(), MHD_OPTION_EXTERNAL_LOGGER, &log_line, nullptr, MHD_OPTION_LISTEN_SOCKET,
      listener.get(), MHD_OPTION_NOTIFY_CONNECTION, &Callbacks::connection, server.get(),
      MHD_OPTION_NOTIFY_COMPLETED, &Callbacks::completed, server.get(), MHD_OPTION_CONNECTION_LIMIT,
      most, MHD_OPTION_CONNECTION_TIMEOUT, static_cast<unsigned>(limits.idle.count()),
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, limits.header_bytes, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
      MHD_OPTION_END);
  if (server->daemon_ == nullptr) return failed("start the HTTP server");
  (void)listener.release();  // the library closes it
  return server;
}

Server::~Server() {
  if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
}

}  // namespace fwd::control

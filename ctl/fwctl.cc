#include "ctl/fwctl.h"

#include <algorithm>
#include <utility>

#include "ctl/api/codec.h"
#include "ctl/arguments.h"
#include "ctl/render.h"

namespace ctl {
namespace {

constexpr int exit_code(const api::ExitStatus status) {
  return static_cast<int>(status);
}

Output failure(const api::Error& error, bool json) {
  Output output{{}, {}, exit_code(api::exit_status(error.code))};
  if (json) {
    output.text = api::encode(api::ErrorBody{error}) + '\n';
  } else {
    output.notes = render_error(error);
  }
  return output;
}

Result run_words(const Arguments& arguments, const Parts& parts) {
  if (arguments.version) return Output{kVersionText, {}, 0};
  const auto& words = arguments.words;
  if (arguments.help) {
    auto text = words.empty() ? std::expected<std::string, api::Error>(help_text())
                              : help_text(words.front());
    if (!text) return std::unexpected(std::move(text.error()));
    return Output{*std::move(text), {}, 0};
  }
  if (words.empty()) return Output{{}, help_text(), exit_code(api::ExitStatus::Usage)};
  return run_command({words, arguments.options, arguments.json, arguments.state, parts.look,
                      parts.connect(arguments.socket), parts.disable_without_daemon, parts.print});
}

}  // namespace

Output run(const std::vector<std::string>& arguments, const std::string& default_socket,
           const Parts& parts) {
  const auto parsed = parse_arguments(arguments, default_socket);
  if (!parsed) {
    const bool json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
    return failure(parsed.error(), json);
  }
  Result result = run_words(*parsed, parts);
  return result ? *std::move(result) : failure(result.error(), parsed->json);
}

}  // namespace ctl

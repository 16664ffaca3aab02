#include "ctl/arguments.h"

#include <array>
#include <string_view>

#include <fmt/format.h>

#include "rules/lexer.h"
#include "rules/suggest.h"

namespace ctl {
namespace {

struct Flag {
  std::string_view name;
  bool Arguments::*member;  // null: understood, and without effect
};

constexpr std::array kFlags{
    Flag{"--json", &Arguments::json}, Flag{"--help", &Arguments::help},
    Flag{"-h", &Arguments::help},     Flag{"--version", &Arguments::version},
    Flag{"--force", nullptr},  // ufw's way not to be asked; fwctl never asks
};
constexpr std::string_view kSocket = "--socket";

const Flag* find_flag(std::string_view name) {
  for (const Flag& flag : kFlags) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

api::Error unknown_option(std::string_view option) {
  if (option == "--dry-run") {  // ufw's
    return usage_error(
        "unknown option \"--dry-run\": fwctl check FILE and fwctl diff FILE show what a policy "
        "would do");
  }
  rules::Nearest nearest(option);
  nearest.consider(kSocket);
  for (const Flag& flag : kFlags) nearest.consider(flag.name);
  const std::string hint = nearest.hint();
  return usage_error(
      fmt::format("unknown option \"{}\"{}{}", option, hint.empty() ? "" : ": ", hint));
}

// "-" alone is standard input.
bool is_option(std::string_view word) {
  return word.size() > 1 && word[0] == '-';
}

}  // namespace

api::Error usage_error(std::string message) {
  return {api::ErrorCode::BadRequest, std::move(message), {}};
}

std::expected<Arguments, api::Error> parse_arguments(const std::vector<std::string>& arguments,
                                                     std::string socket) {
  Arguments result;
  result.socket = std::move(socket);
  bool options = true;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    const bool comment = i > 0 && arguments[i - 1] == "comment";
    if (!options || comment || !is_option(word)) {
      result.words.push_back(word);
    } else if (word == "--") {
      options = false;
    } else if (word == kSocket) {
      if (++i == arguments.size()) return std::unexpected(usage_error("--socket needs a path"));
      result.socket = arguments[i];
    } else if (word.starts_with("--socket=")) {
      result.socket = word.substr(kSocket.size() + 1);
    } else if (const Flag* flag = find_flag(word); flag == nullptr) {
      return std::unexpected(unknown_option(word));
    } else if (flag->member != nullptr) {
      result.*(flag->member) = true;
    }
  }
  return result;
}

std::string join_rule(const std::vector<std::string>& words) {
  if (words.size() == 1) return words.front();
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ' ';
    text += rules::quote_argument(word);
  }
  return text;
}

}  // namespace ctl

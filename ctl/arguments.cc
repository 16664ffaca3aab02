#include "ctl/arguments.h"

#include <array>
#include <string_view>

#include <fmt/core.h>

#include "rules/lexer.h"
#include "rules/suggest.h"

namespace ctl {

api::Error usage_error(std::string message) {
  return {api::ErrorCode::BadRequest, std::move(message), {}};
}

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

// Options with a value, in the next word or after a "=".
struct Option {
  std::string_view name;
  std::string Arguments::*member;
  std::string_view value;
};
constexpr std::array kOptions{Option{"--socket", &Arguments::socket, "path"},
                              Option{"--state", &Arguments::state, "directory"}};

// Those of one command or another. Without a `value` they have none.
struct CommandOption {
  std::string_view name;
  std::string_view value;
};
constexpr std::array kCommandOptions{
    CommandOption{"--audit", "file"}, CommandOption{"--html", "file"},
    CommandOption{"--since", "time"}, CommandOption{"--until", "time"},
    CommandOption{"--once", ""},      CommandOption{"--batch", ""},
    CommandOption{"-n", "number"},    CommandOption{"-d", "number of seconds"}};

std::string_view name_of(std::string_view word) {
  return word.substr(0, word.find('='));
}

const CommandOption* find_command_option(std::string_view word) {
  for (const CommandOption& option : kCommandOptions) {
    if (option.name == name_of(word)) return &option;
  }
  return nullptr;
}

const Option* find_option(std::string_view word) {
  const std::string_view name = name_of(word);
  for (const Option& option : kOptions) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

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
  for (const Option& known : kOptions) nearest.consider(known.name);
  for (const Flag& flag : kFlags) nearest.consider(flag.name);
  for (const CommandOption& known : kCommandOptions) nearest.consider(known.name);
  const std::string hint = nearest.hint();
  return usage_error(
      fmt::format("unknown option \"{}\"{}{}", option, hint.empty() ? "" : ": ", hint));
}

// After a "=" in the same word, or in the next one, which is taken. `what` it is; empty where there is none to be.
std::expected<std::string, api::Error> value_of(const std::vector<std::string>& arguments,
                                                std::size_t& at, std::string_view what) {
  const std::string& word = arguments[at];
  const auto equals = word.find('=');
  if (what.empty() && equals == std::string::npos) return std::string();
  if (what.empty())
    return std::unexpected(usage_error(fmt::format("{} takes no value", name_of(word))));
  if (equals != std::string::npos) return word.substr(equals + 1);
  if (++at < arguments.size()) return arguments[at];
  return std::unexpected(usage_error(fmt::format("{} needs a {}", word, what)));
}

// "-" alone is standard input.
bool is_option(std::string_view word) {
  return word.size() > 1 && word[0] == '-';
}

}  // namespace

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
    } else if (const Option* known = find_option(word); known != nullptr) {
      auto value = value_of(arguments, i, known->value);
      if (!value) return std::unexpected(std::move(value.error()));
      result.*(known->member) = *std::move(value);
    } else if (const CommandOption* own = find_command_option(word); own != nullptr) {
      auto value = value_of(arguments, i, own->value);
      if (!value) return std::unexpected(std::move(value.error()));
      result.options[std::string(own->name)] = *std::move(value);
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

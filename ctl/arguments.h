// The command line of fwctl: its few options, and the words that are left. Rules are words too, so
// that ufw's command lines work as they are.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ctl/api/error.h"

namespace ctl {

// Of one command, by name; empty where an option has no value.
using Options = std::map<std::string, std::string, std::less<>>;

struct Arguments {
  std::string socket;
  std::string state = "/var/lib/fwd";  // the daemon's directory
  bool json = false;
  bool help = false;
  bool version = false;
  Options options;
  std::vector<std::string> words;  // the command and what follows it
};

// Options may stand before and after the command. What follows `--`, and the word after `comment`,
// is never an option. `socket` is the one to use where no option names one.
std::expected<Arguments, api::Error> parse_arguments(const std::vector<std::string>& arguments,
                                                     std::string socket);

// A rule's words as one text, quoted where the shell has taken quotes away. A single word is a
// whole rule already.
std::string join_rule(const std::vector<std::string>& words);

api::Error usage_error(std::string message);

}  // namespace ctl

#include "ctl/commands.h"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>

#include "ctl/arguments.h"
#include "ctl/command_list.h"
#include "rules/suggest.h"

namespace ctl {
namespace {

Result show_help(const Context& context) {
  if (context.words.size() == 1) return Output{help_text(), {}, 0};
  if (context.words.size() > 2) return std::unexpected(usage_error("usage: fwctl help [COMMAND]"));
  auto text = help_text(context.words[1]);
  if (!text) return std::unexpected(std::move(text.error()));
  return Output{*std::move(text), {}, 0};
}

Result show_version(const Context& context) {
  if (context.words.size() != 1) return std::unexpected(usage_error("usage: fwctl version"));
  return Output{kVersionText, {}, 0};
}

constexpr std::array kCommands{
    Command{"status", "status [verbose|numbered]",
            "Whether the firewall is active, and its rules with their hits.", show_status},
    Command{"list", "list", "The policy's rules as text, one a line.", show_list},
    Command{"stats", "stats", "What was decided since fwd started, and why.", show_stats},
    Command{"allow", "allow RULE", "Add a rule that lets connections through.", append_rule},
    Command{"deny", "deny RULE", "Add a rule that drops connections silently.", append_rule},
    Command{"reject", "reject RULE",
            "Add a rule that refuses connections and says so to the sender.", append_rule},
    Command{"limit", "limit RULE",
            "Add a rule that allows 6 new connections in 30 s from one address.", append_rule},
    Command{"add", "add RULE", "Add a rule that starts with its action: add allow in 80/tcp.",
            add_rule},
    Command{"insert", "insert N RULE", "Add a rule so that it has the number N.", insert_rule},
    Command{"remove", "remove N|ID|RULE",
            "Remove a rule by its number, its id or the start of it, or its text.", remove_rule},
    Command{"delete", "delete N|ID|RULE", "The same as remove.", remove_rule},
    Command{"set", "set add|remove|list NAME [ADDR...]",
            "Change or show a set; list without NAME shows all of them.", change_sets},
    Command{"check", "check FILE",
            "Check a policy without using it; needs no daemon. - is standard input.", check_file},
    Command{"diff", "diff FILE",
            "What a policy would change, and which live connections it would cut. - is standard "
            "input.",
            diff_file},
    Command{"apply", "apply FILE",
            "Put a policy in force, all of it or nothing. - is standard input.", apply_file},
    Command{"enable", "enable", "Filter, now and at every start of fwd.", enable},
    Command{"disable", "disable",
            "Stop filtering, also at the next start. Root can do it without the daemon.", disable},
    Command{"mode", "mode [observe|enforce]",
            "Let everything through and record what would be refused, or enforce the policy again.",
            change_mode},
    Command{"audit", "audit status|verify FILE...",
            "The audit log's accounts; or whether files of it are what fwd has written, which "
            "needs no daemon.",
            audit},
    Command{
        "watch",
        "watch [denied|accepted] [ADDRESS] [port N]...",
        "The audit log as it comes, a line for each verdict; with --since also what came before.",
        watch,
        {"--since", "--audit"}},
    Command{"top",
            "top [--once|--batch] [-n N] [-d SECONDS]",
            "What the firewall does now: connections a second by service and rule, denied sources.",
            show_top,
            {"--once", "--batch", "-n", "-d", "--audit"}},
    Command{"report",
            "report [--since TIME] [--html FILE] [FILE...]",
            "What the audit log adds up to: who was denied where and when, and services' rates.",
            make_report,
            {"--since", "--until", "--html", "--audit"}},
    Command{"version", "version", "fwctl's version.", show_version},
    Command{"help", "help [COMMAND]", "This text, or one command's.", show_help},
};

// What users of ufw try, and has another name or place here.
struct Elsewhere {
  std::string_view name;
  std::string_view where;
};
constexpr std::array kElsewhere{
    Elsewhere{"app",
              "there are no application profiles: name the ports, or a service of /etc/services"},
    Elsewhere{"default",
              "the defaults stand in the policy file (\"default deny in\"): change it there and "
              "apply it"},
    Elsewhere{"logging", "each rule says how it is logged: log, log none, or log sample 100"},
    Elsewhere{"prepend", "use insert 1 RULE"},
    Elsewhere{"reload", "use systemctl reload fwd, or apply the policy file"},
    Elsewhere{"reset", "apply a policy that has no rules, or disable the firewall"},
    Elsewhere{"route", "forwarded traffic isn't filtered yet"},
    Elsewhere{"rule", "leave it out, as in fwctl allow 80/tcp"},
    Elsewhere{"show", "use list, status verbose or stats"},
    Elsewhere{"ufw", "leave it out, as in fwctl allow 80/tcp"},
};

const Command* find_command(std::string_view name) {
  const auto* found = std::find_if(kCommands.begin(), kCommands.end(),
                                   [&](const Command& c) { return c.name == name; });
  return found == kCommands.end() ? nullptr : found;
}

api::Error unknown_command(std::string_view name) {
  std::string message = fmt::format("unknown command \"{}\"", name);
  for (const Elsewhere& other : kElsewhere) {
    if (other.name == name) return usage_error(fmt::format("{}: {}", message, other.where));
  }
  rules::Nearest nearest(name);
  for (const Command& command : kCommands) nearest.consider(command.name);
  return usage_error(
      fmt::format("{}: {}", message, nearest.found() ? nearest.hint() : "see fwctl help"));
}

constexpr std::string_view kUsage = "usage: fwctl [--socket PATH] [--json] COMMAND\n";

constexpr std::string_view kOptionsHelp =
    "\nOptions, before or after the command:\n"
    "  --socket PATH  fwd's socket; else $FWCTL_SOCKET, else /run/fwd/fwd.sock\n"
    "  --json         print what fwd answers, as JSON\n"
    "  --state DIR    fwd's state directory, for audit verify; else /var/lib/fwd\n"
    "  --help         help, for the command where there is one\n"
    "  --version      fwctl's version\n"
    "  --audit FILE   the audit log, for watch, top and report; else the one that fwd writes\n"
    "  --since TIME   for watch and report: how long ago (10m, 24h, 7d), or when in UTC\n"
    "  --until TIME   for report, likewise\n"
    "  --html FILE    for report: write it as a page with plots that needs nothing else\n"
    "\nA rule is one of ufw's, or of the policy file: see fwd-policy(5).\n"
    "Exit status: 0 done, 1 refused or not found, 2 usage or syntax, 3 no daemon, 4 not "
    "permitted.\n";

}  // namespace

std::span<const Command> commands() {
  return kCommands;
}

Result run_command(const Context& context) {
  const Command* command = find_command(context.words.front());
  if (command == nullptr) return std::unexpected(unknown_command(context.words.front()));
  for (const auto& [name, value] : context.options) {
    const bool known = std::ranges::find(command->options, name) != command->options.end();
    if (!known)
      return std::unexpected(
          usage_error(fmt::format("{} is no option of {}", name, command->name)));
  }
  return command->run(context);
}

std::string help_text() {
  std::size_t widest = 0;
  for (const Command& command : kCommands) widest = std::max(widest, command.synopsis.size());
  std::string text = std::string(kUsage) + "\n";
  for (const Command& command : kCommands) {
    fmt::format_to(std::back_inserter(text), "  {:<{}}  {}\n", command.synopsis, widest,
                   command.help);
  }
  return text + std::string(kOptionsHelp);
}

std::expected<std::string, api::Error> help_text(std::string_view name) {
  const Command* command = find_command(name);
  if (command == nullptr) return std::unexpected(unknown_command(name));
  return fmt::format("usage: fwctl [--socket PATH] [--json] {}\n\n{}\n", command->synopsis,
                     command->help);
}

}  // namespace ctl

#include "rules/rule_parser.h"

#include <array>
#include <cstdint>

#include <fmt/core.h>

#include "rules/numbers.h"
#include "rules/protocols.h"
#include "rules/suggest.h"

namespace rules {
namespace {

constexpr std::string_view kNoProfiles = "fwd has no application profiles";
constexpr std::string_view kNameThePorts = "name the ports, as in \"allow 80,443/tcp\"";

std::string_view text_of(const Span& span) {
  return std::string_view(span.source->text).substr(span.offset, span.length);
}

class RuleParser {
 public:
  explicit RuleParser(Cursor& cursor) : cursor_(cursor) {}

  std::optional<ast::Rule> parse();

 private:
  using ClauseFunction = bool (RuleParser::*)();
  struct Clause {
    std::string_view keyword;
    ClauseFunction parse;
    unsigned kind;  // clauses of one kind can't stand together
  };
  static const std::array<Clause, 13> kClauses;
  static constexpr unsigned kProto = 1, kType = 2, kFrom = 4, kTo = 8, kOn = 16, kRate = 32,
                            kLog = 64, kComment = 128, kShort = 256;

  static const Clause* find_clause(std::string_view keyword);
  static std::string keyword_hint(std::string_view word);

  bool head();
  bool clause();
  bool short_form();
  bool interface();
  bool protocols();
  bool icmp_type();
  bool from() { return endpoint(rule_.from); }
  bool to() { return endpoint(rule_.to); }
  bool endpoint(ast::Endpoint& endpoint);
  bool rate();
  bool log();
  bool sample();
  bool log_all();
  bool comment();
  bool direction_elsewhere();
  bool port_without_side();
  bool application();
  bool unknown_word();
  bool split_protocol(ast::Word& word);
  bool complete();

  Cursor& cursor_;
  ast::Rule rule_;
  bool has_direction_ = false;
  unsigned seen_ = 0;
  Span keyword_;  // of the clause being parsed
  Span short_;    // the short form's words
  Span end_;      // the last token that isn't a comment's
};

const std::array<RuleParser::Clause, 13> RuleParser::kClauses{{
    {"on", &RuleParser::interface, kOn},
    {"proto", &RuleParser::protocols, kProto},
    {"type", &RuleParser::icmp_type, kType},
    {"from", &RuleParser::from, kFrom},
    {"to", &RuleParser::to, kTo},
    {"rate", &RuleParser::rate, kRate},
    {"log", &RuleParser::log, kLog},
    {"log-all", &RuleParser::log_all, kLog},
    {"comment", &RuleParser::comment, kComment},
    {"in", &RuleParser::direction_elsewhere, 0},
    {"out", &RuleParser::direction_elsewhere, 0},
    {"port", &RuleParser::port_without_side, 0},
    {"app", &RuleParser::application, 0},
}};

const RuleParser::Clause* RuleParser::find_clause(std::string_view keyword) {
  for (const Clause& clause : kClauses) {
    if (clause.keyword == keyword) return &clause;
  }
  return nullptr;
}

std::string RuleParser::keyword_hint(std::string_view word) {
  Nearest nearest(word);
  for (const Clause& clause : kClauses) nearest.consider(clause.keyword);
  return nearest.hint();
}

std::optional<ast::Rule> RuleParser::parse() {
  const Span start = cursor_.peek().where;
  if (!head()) return std::nullopt;
  end_ = cursor_.last();
  while (!cursor_.at_end()) {
    const unsigned before = seen_;
    if (!clause()) return std::nullopt;
    if ((seen_ ^ before) != kComment) end_ = cursor_.last();
  }
  rule_.where = join(start, end_);
  if (!complete()) return std::nullopt;
  return std::move(rule_);
}

bool RuleParser::head() {
  const auto word = cursor_.want_word("allow, deny, reject or limit");
  if (!word) return false;
  const auto action = action_by_name(word->text);
  if (!action) {
    const bool route = word->text == "route";
    return cursor_.report().error(
        word->where,
        route ? "ufw's route rules aren't supported: fwd doesn't filter what is forwarded"
              : fmt::format("unknown action \"{}\"", word->text),
        route ? "" : did_you_mean(word->text, {"allow", "deny", "reject", "limit"}));
  }
  rule_.action = *action;
  if (!cursor_.at(TokenKind::Word)) return true;
  if (const auto direction = direction_by_name(cursor_.peek().text)) {
    rule_.direction = *direction;
    has_direction_ = true;
    cursor_.take();
  }
  return true;
}

bool RuleParser::clause() {
  const Token token = cursor_.peek();
  if (token.kind == TokenKind::String) return application();
  if (token.kind != TokenKind::Word) return cursor_.unexpected("a clause such as \"from\"");
  const Clause* clause = find_clause(token.text);
  if (clause == nullptr) {
    return (seen_ & (kShort | kFrom | kTo)) == 0 ? short_form() : unknown_word();
  }
  if ((seen_ & clause->kind) != 0) {
    return cursor_.report().error(token.where, fmt::format("\"{}\" stands here twice", token.text));
  }
  seen_ |= clause->kind;
  keyword_ = token.where;
  // What follows `comment` is read by other rules, so that clause takes its keyword itself.
  if (clause->kind != kComment) cursor_.take();
  return (this->*clause->parse)();
}

bool RuleParser::short_form() {
  std::vector<ast::Word>& ports = rule_.to.ports;
  if (!parse_list(cursor_, "a port", ports)) return false;
  short_ = join(ports.front().where, ports.back().where);
  const bool more = cursor_.at(TokenKind::Word) && find_clause(cursor_.peek().text) == nullptr;
  if (more) {
    const std::string hint = keyword_hint(ports.front().text);
    if (!hint.empty()) {
      return cursor_.report().error(ports.front().where,
                                    fmt::format("unknown word \"{}\"", ports.front().text), hint);
    }
  }
  seen_ |= kShort;
  return split_protocol(ports.back());
}

// "443/tcp"
bool RuleParser::split_protocol(ast::Word& word) {
  const std::size_t slash = word.text.find('/');
  if (slash == std::string_view::npos) return true;
  const std::string_view name = word.text.substr(slash + 1);
  if (name.empty() || slash == 0) {
    return cursor_.report().error(word.where, "expected a port and a protocol, as in 80/tcp");
  }
  rule_.protocols.push_back({name, part_of(word.where, slash + 1, name.size())});
  word = {word.text.substr(0, slash), part_of(word.where, 0, slash)};
  return true;
}

bool RuleParser::unknown_word() {
  const Token token = cursor_.peek();
  std::string hint = keyword_hint(token.text);
  if (short_.length > 0 && protocol_by_name(token.text)) {
    hint = fmt::format("write the protocol behind a slash, as in 80/{}", token.text);
  }
  return cursor_.report().error(token.where, fmt::format("unknown word \"{}\"", token.text), hint);
}

bool RuleParser::interface() {
  rule_.interface = cursor_.want_word("an interface's name");
  return rule_.interface.has_value();
}

bool RuleParser::protocols() {
  if (!parse_list(cursor_, "a protocol", rule_.protocols)) return false;
  if (rule_.protocols.size() == 1 && rule_.protocols[0].text == "any") rule_.protocols.clear();
  return true;
}

bool RuleParser::icmp_type() {
  rule_.icmp_type = cursor_.want_word("an ICMP type");
  return rule_.icmp_type.has_value();
}

bool RuleParser::endpoint(ast::Endpoint& endpoint) {
  if (cursor_.at(TokenKind::OpenBrace)) {
    return cursor_.report().error(cursor_.peek().where, "several addresses need a set with a name",
                                  "set peers = { ... }, and then \"from @peers\"");
  }
  const auto address = cursor_.want_word("an address, \"any\" or a set such as @peers");
  if (!address) return false;
  if (address->text != "any") endpoint.address = *address;
  if (cursor_.at(TokenKind::Comma)) {
    return cursor_.report().error(cursor_.peek().where, "several addresses need a set with a name",
                                  "set peers = { ... }, and then \"from @peers\"");
  }
  return !cursor_.accept("port") || parse_list(cursor_, "a port", endpoint.ports);
}

bool RuleParser::rate() {
  const auto word = cursor_.want_word("a rate such as 6/30s");
  if (!word) return false;
  const auto rate = parse_rate(word->text);
  if (!rate) {
    return cursor_.report().error(word->where, fmt::format("\"{}\" isn't a rate", word->text),
                                  "connections and time, as in 6/30s or 100/1m");
  }
  rule_.rate = ast::RateClause{*rate, word->where};
  return true;
}

bool RuleParser::log() {
  if (cursor_.accept("sample")) {
    if (!sample()) return false;
  } else {
    rule_.log = cursor_.accept("none") ? Log::None : Log::Always;
  }
  rule_.log_where = join(keyword_, cursor_.last());
  return true;
}

bool RuleParser::sample() {
  const auto word = cursor_.want_word("a number, as in log sample 100");
  if (!word) return false;
  const auto one_in = read_number<std::uint32_t>(word->text, Log::kMostSample);
  if (!one_in || *one_in < Log::kLeastSample) {
    return cursor_.report().error(
        word->where, fmt::format("\"{}\" isn't a sample", word->text),
        fmt::format("of how many accepted connections one is recorded: {} to {}, as in log sample "
                    "100",
                    Log::kLeastSample, Log::kMostSample));
  }
  rule_.log = Log::sample(*one_in);
  return true;
}

bool RuleParser::log_all() {
  rule_.log = Log::Always;
  rule_.log_where = keyword_;
  return true;
}

bool RuleParser::comment() {
  const Token token = cursor_.take_raw();
  if (token.kind != TokenKind::String && token.kind != TokenKind::Word) {
    const bool open = token.kind == TokenKind::Unterminated;
    return cursor_.report().error(
        open ? token.where : keyword_,
        open ? "the closing quote is missing on this line" : "the comment's text is missing");
  }
  rule_.comment = token.kind == TokenKind::String ? unescape(token.text) : std::string(token.text);
  rule_.comment_where = join(keyword_, token.where);
  return true;
}

bool RuleParser::direction_elsewhere() {
  if (!has_direction_) {
    const std::string_view rest = (seen_ & kShort) != 0 ? text_of(short_) : "...";
    return cursor_.report().error(
        keyword_, "the direction stands right after the action",
        fmt::format("write \"{} {} {}\"", to_string(rule_.action), text_of(keyword_), rest));
  }
  return cursor_.report().error(keyword_,
                                "a rule has one direction, and it stands right after the action",
                                "ufw's route rules, which name two interfaces, aren't supported");
}

bool RuleParser::port_without_side() {
  return cursor_.report().error(keyword_, "\"port\" stands after an address",
                                "write \"to any port 80\"");
}

bool RuleParser::application() {
  return cursor_.report().error(cursor_.peek().where, std::string(kNoProfiles),
                                std::string(kNameThePorts));
}

bool RuleParser::complete() {
  if ((seen_ & kShort) != 0 && (seen_ & (kFrom | kTo | kProto | kType)) != 0) {
    return cursor_.report().error(
        short_, "the short form doesn't go with from, to, proto or type",
        fmt::format("write \"to any port {}\"", rule_.to.ports.front().text));
  }
  if ((seen_ & (kShort | kFrom | kTo | kProto | kOn)) == 0) {
    return cursor_.report().error(
        rule_.where, "the rule says nothing about the packets it is for",
        fmt::format("for all packets write \"{} {} from any\", or \"default {} {}\"",
                    to_string(rule_.action), to_string(rule_.direction), to_string(rule_.action),
                    to_string(rule_.direction)));
  }
  return true;
}

}  // namespace

std::optional<Action> action_by_name(std::string_view name) {
  for (const Action action : {Action::Allow, Action::Deny, Action::Reject, Action::Limit}) {
    if (to_string(action) == name) return action;
  }
  return std::nullopt;
}

std::optional<Direction> direction_by_name(std::string_view name) {
  if (name == "in") return Direction::In;
  if (name == "out") return Direction::Out;
  return std::nullopt;
}

std::optional<ast::Rule> parse_rule_statement(Cursor& cursor) {
  return RuleParser(cursor).parse();
}

std::optional<Rate> parse_rate(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || text.size() < slash + 3) return std::nullopt;
  const auto count = read_number<std::uint32_t>(text.substr(0, slash), 65535);
  const auto time =
      read_number<std::uint32_t>(text.substr(slash + 1, text.size() - slash - 2), 86400);
  const char unit = text.back();
  if (!count || !time || (unit != 's' && unit != 'm' && unit != 'h')) return std::nullopt;
  const std::uint32_t seconds = *time * (unit == 's' ? 1 : unit == 'm' ? 60 : 3600);
  if (*count == 0 || seconds == 0 || seconds > 86400) return std::nullopt;
  return Rate{*count, seconds};
}

bool parse_list(Cursor& cursor, std::string_view what, std::vector<ast::Word>& words) {
  do {
    const auto word = cursor.want_word(what);
    if (!word) return false;
    words.push_back(*word);
    if (!cursor.at(TokenKind::Comma)) return true;
    cursor.take();
  } while (true);
}

}  // namespace rules

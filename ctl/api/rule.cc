#include "ctl/api/rule.h"

#include "ctl/api/diagnostic_fields.h"

namespace ctl::api {

template <>
struct Fields<Rule> {
  static constexpr std::tuple kFields{
      Field{"number", &Rule::number},   Field{"id", &Rule::id},
      Field{"action", &Rule::action},   Field{"direction", &Rule::direction},
      Field{"text", &Rule::text},       Field{"canonical", &Rule::canonical},
      Field{"log", &Rule::log},         Field{"sample", &Rule::sample},
      Field{"comment", &Rule::comment}, Field{"file", &Rule::file},
      Field{"line", &Rule::line},       Field{"packets", &Rule::packets},
      Field{"builtin", &Rule::builtin}};
};

template <>
struct Fields<Default> {
  static constexpr std::tuple kFields{Field{"action", &Default::action},
                                      Field{"packets", &Default::packets}};
};

template <>
struct Fields<Defaults> {
  static constexpr std::tuple kFields{Field{"in", &Defaults::in}, Field{"out", &Defaults::out}};
};

template <>
struct Fields<RuleList> {
  static constexpr std::tuple kFields{Field{"rules", &RuleList::rules},
                                      Field{"builtin", &RuleList::builtin},
                                      Field{"defaults", &RuleList::defaults}};
};

template <>
struct Fields<AddRule> {
  static constexpr std::tuple kFields{Field{"rule", &AddRule::rule},
                                      Field{"position", &AddRule::position}};
};
template <>
inline constexpr bool kIsRequest<AddRule> = true;

template <>
struct Fields<RuleAdded> {
  static constexpr std::tuple kFields{
      Field{"rule", &RuleAdded::rule}, Field{"already", &RuleAdded::already},
      Field{"cut", &RuleAdded::cut}, Field{"warnings", &RuleAdded::warnings},
      Field{"updated", &RuleAdded::updated}};
};

template <>
struct Fields<RuleRemoved> {
  static constexpr std::tuple kFields{Field{"rule", &RuleRemoved::rule},
                                      Field{"cut", &RuleRemoved::cut}};
};

template std::string encode(const RuleList&);
template std::string encode(const AddRule&);
template std::string encode(const RuleAdded&);
template std::string encode(const RuleRemoved&);
template std::expected<RuleList, std::string> decode(std::string_view);
template std::expected<AddRule, std::string> decode(std::string_view);
template std::expected<RuleAdded, std::string> decode(std::string_view);
template std::expected<RuleRemoved, std::string> decode(std::string_view);

}  // namespace ctl::api

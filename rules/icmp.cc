#include "rules/icmp.h"

#include <array>

#include <fmt/core.h>

#include "rules/numbers.h"
#include "rules/suggest.h"

namespace rules {
namespace {

constexpr std::optional<IcmpType> type(std::uint8_t number) {
  return IcmpType{number, {}};
}
constexpr std::optional<IcmpType> code(std::uint8_t number, std::uint8_t code) {
  return IcmpType{number, code};
}
constexpr std::optional<IcmpType> kNone;

constexpr std::array kNames{
    IcmpName{"echo-reply", type(0), type(129)},
    IcmpName{"echo-request", type(8), type(128)},
    IcmpName{"destination-unreachable", type(3), type(1)},
    IcmpName{"network-unreachable", code(3, 0), kNone},
    IcmpName{"host-unreachable", code(3, 1), kNone},
    IcmpName{"protocol-unreachable", code(3, 2), kNone},
    IcmpName{"port-unreachable", code(3, 3), code(1, 4)},
    IcmpName{"fragmentation-needed", code(3, 4), kNone},
    IcmpName{"source-route-failed", code(3, 5), kNone},
    IcmpName{"network-prohibited", code(3, 9), kNone},
    IcmpName{"host-prohibited", code(3, 10), kNone},
    IcmpName{"communication-prohibited", code(3, 13), code(1, 1)},
    IcmpName{"admin-prohibited", code(3, 13), code(1, 1)},
    IcmpName{"no-route", kNone, code(1, 0)},
    IcmpName{"beyond-scope", kNone, code(1, 2)},
    IcmpName{"address-unreachable", kNone, code(1, 3)},
    IcmpName{"failed-policy", kNone, code(1, 5)},
    IcmpName{"reject-route", kNone, code(1, 6)},
    IcmpName{"packet-too-big", kNone, type(2)},
    IcmpName{"source-quench", type(4), kNone},
    IcmpName{"redirect", type(5), type(137)},
    IcmpName{"router-advertisement", type(9), type(134)},
    IcmpName{"router-solicitation", type(10), type(133)},
    IcmpName{"time-exceeded", type(11), type(3)},
    IcmpName{"ttl-exceeded", code(11, 0), code(3, 0)},
    IcmpName{"reassembly-time-exceeded", code(11, 1), code(3, 1)},
    IcmpName{"parameter-problem", type(12), type(4)},
    IcmpName{"timestamp-request", type(13), kNone},
    IcmpName{"timestamp-reply", type(14), kNone},
    IcmpName{"address-mask-request", type(17), kNone},
    IcmpName{"address-mask-reply", type(18), kNone},
    IcmpName{"mld-listener-query", kNone, type(130)},
    IcmpName{"mld-listener-report", kNone, type(131)},
    IcmpName{"mld-listener-done", kNone, type(132)},
    IcmpName{"mld2-listener-report", kNone, type(143)},
    IcmpName{"neighbour-solicitation", kNone, type(135)},
    IcmpName{"neighbor-solicitation", kNone, type(135)},
    IcmpName{"neighbour-advertisement", kNone, type(136)},
    IcmpName{"neighbor-advertisement", kNone, type(136)},
};

}  // namespace

const IcmpName* icmp_by_name(std::string_view name) {
  for (const IcmpName& known : kNames) {
    if (known.name == name) return &known;
  }
  return nullptr;
}

std::string icmp_hint(std::string_view name) {
  Nearest nearest(name);
  for (const IcmpName& known : kNames) nearest.consider(known.name);
  return nearest.hint();
}

const IcmpName* icmp_by_types(const std::optional<IcmpType>& v4,
                              const std::optional<IcmpType>& v6) {
  for (const IcmpName& known : kNames) {
    if (known.v4 == v4 && known.v6 == v6) return &known;
  }
  return nullptr;
}

std::optional<IcmpType> read_icmp_number(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto number = read_number<std::uint8_t>(text.substr(0, slash), 255);
  if (!number) return std::nullopt;
  if (slash == std::string_view::npos) return IcmpType{*number, {}};
  const auto code_number = read_number<std::uint8_t>(text.substr(slash + 1), 255);
  if (!code_number) return std::nullopt;
  return IcmpType{*number, code_number};
}

std::string to_string(const IcmpType& type) {
  return type.code ? fmt::format("{}/{}", type.type, *type.code) : fmt::format("{}", type.type);
}

}  // namespace rules

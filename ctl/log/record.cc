#include "ctl/log/record.h"

#include <array>

#include <simdjson.h>

namespace ctl::log {
namespace {

namespace dom = simdjson::dom;
using Value = simdjson::simdjson_result<dom::element>;

std::string_view text(const Value& value) {
  std::string_view result;
  return value.get(result) == simdjson::SUCCESS ? result : std::string_view();
}

std::optional<std::uint64_t> number(const Value& value) {
  std::uint64_t result = 0;
  if (value.get(result) != simdjson::SUCCESS) return std::nullopt;
  return result;
}

Dataset dataset_of(std::string_view name) {
  struct Name {
    std::string_view text;
    Dataset dataset;
  };
  constexpr std::array kNames{Name{"fwd.verdict", Dataset::Verdict},
                              Name{"fwd.flow", Dataset::Flow}, Name{"fwd.audit_gap", Dataset::Gap},
                              Name{"fwd.admin", Dataset::Admin},
                              Name{"fwd.health", Dataset::Health}};
  for (const Name& name_of : kNames) {
    if (name_of.text == name) return name_of.dataset;
  }
  return Dataset::Other;
}

Verdict verdict_of(std::string_view action) {
  if (action == "accept") return Verdict::Accepted;
  return action == "drop" || action == "reject" ? Verdict::Denied : Verdict::Other;
}

Endpoint endpoint(const Value& ip, const Value& port) {
  Endpoint result{text(ip), std::nullopt};
  if (const auto value = number(port); value && *value <= 0xffff)
    result.port = static_cast<std::uint16_t>(*value);
  return result;
}

// What the two formats have in different places.
struct Places {
  Value time;
  Value host;
  Value event;
  Value message;
  Value own;
};

Places places_in_ecs(const dom::element& root) {
  return {root["@timestamp"], root["observer"]["hostname"], root["event"], root["message"],
          root["fwd"]};
}

Places places_in_eve(const dom::element& root) {
  const Value own = root["metadata"]["flowvars"].at(0);
  const Value engine = root["engine"]["message"];
  return {root["timestamp"], root["host"], own,
          engine.error() == simdjson::SUCCESS ? engine : own["message"], own};
}

void read_connection_of_ecs(Record& record, const dom::element& root) {
  const Value network = root["network"];
  record.protocol = text(network["transport"]);
  record.direction = text(network["direction"]);
  const Value observer = root["observer"];
  const Value interface =
      observer[record.direction == "egress" ? "egress" : "ingress"]["interface"];
  record.interface_name = text(interface["name"]);
  record.source = endpoint(root["source"]["ip"], root["source"]["port"]);
  record.destination = endpoint(root["destination"]["ip"], root["destination"]["port"]);
  record.first = parse_timestamp(text(root["event"]["start"])).value_or(record.time);
}

void read_connection_of_eve(Record& record, const dom::element& root, const Value& own) {
  record.protocol = text(own["transport"]);
  record.direction = text(own["direction"]);
  record.interface_name = text(root["in_iface"]);
  record.source = endpoint(root["src_ip"], root["src_port"]);
  record.destination = endpoint(root["dest_ip"], root["dest_port"]);
  record.first = parse_timestamp(text(root["flow"]["start"])).value_or(record.time);
}

void read_verdict(Record& record, const Value& rule, const Value& own) {
  record.verdict = verdict_of(record.action);
  record.would = text(own["would"]);
  record.rule_id = text(rule["id"]);
  record.rule_name = text(rule["name"]);
  record.ruleset = text(rule["ruleset"]);
  record.icmp_type = number(own["icmp_type"]);
  record.by_copy = text(own["decided_by"]) == "kernel_copy";
  // Of decisions, and of connections that ended.
  const auto many = number(own[record.dataset == Dataset::Flow ? "connections" : "packets"]);
  record.folded = many.has_value();
  record.count = many.value_or(1);
}

void read_traffic(Record& record, const dom::element& root, bool eve) {
  const Value flow = root["flow"];
  record.source_bytes = number(eve ? flow["bytes_toserver"] : root["source"]["bytes"]);
  record.destination_bytes = number(eve ? flow["bytes_toclient"] : root["destination"]["bytes"]);
}

}  // namespace

struct Parser::Json {
  dom::parser parser;
};

Parser::Parser() : json_(std::make_unique<Json>()) {}
Parser::~Parser() = default;
Parser::Parser(Parser&&) noexcept = default;
Parser& Parser::operator=(Parser&&) noexcept = default;

std::optional<Record> Parser::parse(std::string_view line) {
  dom::element root;
  if (json_->parser.parse(line.data(), line.size()).get(root) != simdjson::SUCCESS)
    return std::nullopt;
  const bool eve = root["event_type"].error() == simdjson::SUCCESS;
  const auto [moment, host, event, message, own] = eve ? places_in_eve(root) : places_in_ecs(root);
  const auto time = parse_timestamp(text(moment));
  const auto sequence = number(event["sequence"]);
  const std::string_view dataset = text(event["dataset"]);
  if (!time || !sequence || !dataset.starts_with("fwd.")) return std::nullopt;
  Record record;
  record.time = *time;
  record.sequence = *sequence;
  record.dataset = dataset_of(dataset);
  record.message = text(message);
  record.action = text(event["action"]);
  record.outcome = text(event["outcome"]);
  record.reason = text(event["reason"]);
  record.host = text(host);
  switch (record.dataset) {
    case Dataset::Verdict:
    case Dataset::Flow:
      eve ? read_connection_of_eve(record, root, own) : read_connection_of_ecs(record, root);
      read_verdict(record, eve ? own["rule"] : root["rule"], own);
      if (record.dataset == Dataset::Flow) read_traffic(record, root, eve);
      break;
    case Dataset::Gap:
      record.count = number(own["count"]).value_or(0);
      break;
    case Dataset::Health:
      record.count = number(own["packets"]).value_or(0);
      record.allowed = number(own["allowed"]).value_or(0);
      record.denied = number(own["denied"]).value_or(0);
      break;
    case Dataset::Admin:
    case Dataset::Other:
      break;
  }
  return record;
}

}  // namespace ctl::log

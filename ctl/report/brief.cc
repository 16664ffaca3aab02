#include "ctl/report/brief.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "ctl/report/html.h"
#include "ctl/report/page.h"
#include "ctl/table.h"

namespace ctl::report {
namespace {

using Json = nlohmann::ordered_json;

std::string top_table(const char* heading, const std::vector<Ranked>& list, const Look& look) {
  if (list.empty()) return {};
  Table table({{heading}, {"Denied", Align::Right}, {""}});
  for (const Ranked& entry : list)
    table.add({{entry.name}, {number(entry.count)}, {entry.detail, Style::Dim}});
  return '\n' + table.text(look);
}

std::string services_table(const Report& report, const Look& look) {
  if (report.services.empty()) return {};
  Table table({{"Service"}, {"Accepted", Align::Right}, {"Denied", Align::Right}});
  for (const Service& service : report.services)
    table.add({{service.name},
               {number(service.accepted)},
               {number(service.denied), service.denied > 0 ? Style::Bad : Style::Plain}});
  return '\n' + table.text(look);
}

Json ranked_json(const std::vector<Ranked>& list) {
  Json result = Json::array();
  for (const Ranked& entry : list) {
    Json& item = result.emplace_back(Json{{"name", entry.name}, {"denied", entry.count}});
    if (!entry.detail.empty()) item["detail"] = entry.detail;
  }
  return result;
}

}  // namespace

std::string render_text(const Report& report, const Look& look) {
  std::string text = fmt::format("{} to {} UTC\n{}\n", moment_text(report.from),
                                 moment_text(report.to), one_line(summary(report)));
  text += fmt::format("{} decided = {} written + {} folded + {} lost\n", report.decided(),
                      report.written, report.folded, report.lost);
  text += services_table(report, look);
  text += top_table("Source", report.top_sources, look);
  text += top_table("Service", report.top_services, look);
  return text + top_table("Rule", report.top_rules, look);
}

std::string render_json(const Report& report) {
  Json json{{"from", timestamp_text(report.from)},
            {"to", timestamp_text(report.to)},
            {"hosts", report.hosts},
            {"decided", report.decided()},
            {"accepted", report.accepted},
            {"denied", report.denied},
            {"written", report.written},
            {"folded", report.folded},
            {"lost", report.lost},
            {"missing_lines", report.missing_lines},
            {"foreign_lines", report.foreign},
            {"kernel_copy_packets", report.copy_packets},
            {"denied_sources", report.sources}};
  Json services = Json::array();
  for (const Service& service : report.services)
    services.push_back({{"name", service.name},
                        {"accepted", service.accepted},
                        {"denied", service.denied},
                        {"bytes", service.bytes}});
  json["services"] = services;
  json["top_sources"] = ranked_json(report.top_sources);
  json["top_services"] = ranked_json(report.top_services);
  json["top_rules"] = ranked_json(report.top_rules);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace ctl::report

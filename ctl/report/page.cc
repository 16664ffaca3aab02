#include "ctl/report/page.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/core.h>

#include "ctl/byte_text.h"
#include "ctl/report/chart.h"
#include "ctl/report/html.h"
#include "ctl/report/style.h"

namespace ctl::report {
namespace {

std::string swatch(const std::string& style) {
  return fmt::format(
      R"(<svg viewBox="0 0 11 11" aria-hidden="true"><rect class="{}" width="11" height="11" rx="3"/></svg>)",
      style);
}

std::string count_of(std::uint64_t value, std::string_view one) {
  return fmt::format("{} {}{}", number(value), one, value == 1 ? "" : "s");
}

std::string hosts_text(const Report& report) {
  std::string text;
  for (const std::string& host : report.hosts) text += (text.empty() ? "" : ", ") + isolated(host);
  return text;
}

std::string range_text(const Report& report) {
  return fmt::format("{} to {} UTC", moment_text(report.from), moment_text(report.to));
}

std::string tile(std::string_view name, const std::string& value, std::string_view detail,
                 std::string_view style = {}) {
  return fmt::format(R"(<div><dt>{}</dt><dd class="{}">{}<small>{}</small></dd></div>)", name,
                     style, value, detail);
}

std::string tiles(const Report& report) {
  const std::uint64_t decided = report.decided();
  const bool complete = report.lost == 0 && report.missing_lines == 0;
  std::string html = "<dl class=\"tiles\">";
  html += tile("Connections decided", number(decided), count_of(report.lines, "line") + " of log");
  html += tile("Accepted", number(report.accepted), percent(report.accepted, decided));
  html += tile("Denied", number(report.denied), percent(report.denied, decided),
               report.denied > 0 ? "bad" : "");
  html += tile("Denied sources", number(report.sources),
               report.shortfall > 0 ? "at least" : "addresses");
  html += tile("Records lost", number(report.lost),
               complete ? "no line missing" : count_of(report.missing_lines, "line") + " missing",
               complete ? "good" : "bad");
  return html +
         tile("Without the daemon", number(report.copy_packets), "packets, by the kernel's copy") +
         "</dl>";
}

std::string legend(const Report& report) {
  std::string html = "<ul class=\"legend\">";
  for (std::size_t cause = 0; cause < kCauses; ++cause) {
    if (report.causes[cause] > 0)
      html += fmt::format("<li>{}{} <b>{}</b></li>", swatch(fmt::format("c{}", cause)),
                          label(static_cast<Cause>(cause)), number(report.causes[cause]));
  }
  return html + "</ul>";
}

std::string slots_table(const Report& report) {
  std::string html =
      "<details><summary>The numbers</summary><div class=\"wide\"><table><thead><tr><th "
      "scope=\"col\">From (UTC)</th>";
  for (std::size_t cause = 0; cause < kCauses; ++cause) {
    if (report.causes[cause] > 0)
      html +=
          fmt::format("<th scope=\"col\" class=\"n\">{}</th>", label(static_cast<Cause>(cause)));
  }
  html += "</tr></thead><tbody>";
  for (std::size_t slot = 0; slot < report.denied_in.size(); ++slot) {
    const ByCause& causes = report.denied_in[slot];
    if (std::ranges::all_of(causes, [](std::uint64_t count) { return count == 0; })) continue;
    html += fmt::format("<tr><td>{}</td>", slot_text(report, slot));
    for (std::size_t cause = 0; cause < kCauses; ++cause) {
      if (report.causes[cause] > 0)
        html += fmt::format("<td class=\"n\">{}</td>", number(causes[cause]));
    }
    html += "</tr>";
  }
  return html + "</tbody></table></div></details>";
}

std::string denied_section(const Report& report) {
  std::string html = "<section><h2>Denied connections</h2>";
  html += fmt::format("<p class=\"soft\">in {} each, by reason; below, what happened meanwhile</p>",
                      duration_text(report.slot));
  html += legend(report) + "<div class=\"wide\">" + denied_chart(report) + "</div>";
  return html + (report.denied + report.causes.back() > 0 ? slots_table(report) : std::string()) +
         "</section>";
}

std::string peak_text(const Report& report, const std::vector<std::uint64_t>& values) {
  const std::uint64_t most = values.empty() ? 0 : *std::ranges::max_element(values);
  return text(short_number(static_cast<double>(most) / static_cast<double>(report.slot.count()))) +
         " /s";
}

std::string service_row(const Report& report, const Service& service, bool traffic) {
  std::vector<std::uint64_t> both = service.accepted_in;
  std::ranges::transform(both, service.denied_in, both.begin(), std::plus<>());
  std::string html = fmt::format(
      R"(<tr><td class="name">{}</td><td class="plot">{}</td><td class="n">{}</td><td class="n">{}</td><td class="n">{}</td>)",
      isolated(service.name), service_chart(service), peak_text(report, both),
      number(service.accepted), number(service.denied));
  if (traffic) html += fmt::format(R"(<td class="n">{}</td>)", byte_text(service.bytes));
  return html + "</tr>";
}

std::string services_section(const Report& report) {
  if (report.services.empty()) return {};
  const bool traffic = std::ranges::any_of(
      report.services, [](const Service& service) { return service.bytes > 0; });
  std::string html =
      "<section><h2>Services</h2><p class=\"soft\">new connections over time, each service on a "
      "scale of its own: "
      "<span class=\"accept\">accepted</span>, <span class=\"deny\">denied</span></p>"
      R"(<div class="wide"><table class="services"><thead><tr><th scope="col">Service</th><th scope="col">Over time</th>)"
      R"(<th scope="col" class="n">Peak</th><th scope="col" class="n">Accepted</th><th scope="col" class="n">Denied</th>)";
  if (traffic) html += R"(<th scope="col" class="n">Traffic</th>)";
  html += "</tr></thead><tbody>";
  for (const Service& service : report.services) html += service_row(report, service, traffic);
  return html +
         fmt::format(
             R"(</tbody><tfoot><tr><td></td><td class="plot">{}</td><td colspan="{}"></td></tr></tfoot></table></div></section>)",
             service_axis(report), traffic ? 4 : 3);
}

// 1 to 5, by the logarithm: one source often has most of it.
int heat_level(std::uint64_t count, std::uint64_t most) {
  if (count == 0) return 0;
  if (count == most) return 5;
  return 1 + static_cast<int>(4 * std::log1p(static_cast<double>(count)) /
                              std::log1p(static_cast<double>(most)));
}

std::string heat_section(const Report& report) {
  const Heat& heat = report.heat;
  if (heat.sources.empty()) return {};
  std::uint64_t most = 1;
  for (const auto& row : heat.denied) most = std::max(most, *std::ranges::max_element(row));
  std::string html =
      "<section><h2>Who was denied where</h2><p class=\"soft\">the most denied sources and "
      "services</p><div class=\"wide\">"
      "<table class=\"heat\"><thead><tr><th scope=\"col\">Source</th>";
  for (const std::string& service : heat.services)
    html += fmt::format("<th scope=\"col\">{}</th>", isolated(service));
  html += "</tr></thead><tbody>";
  for (std::size_t source = 0; source < heat.sources.size(); ++source) {
    html += fmt::format("<tr><th scope=\"row\">{}</th>", isolated(heat.sources[source]));
    for (const std::uint64_t count : heat.denied[source])
      html += fmt::format("<td class=\"h{}\">{}</td>", heat_level(count, most),
                          count == 0 ? "·" : number(count));
    html += "</tr>";
  }
  return html + "</tbody></table></div></section>";
}

std::string share_bar(const Ranked& entry, const Ranked& first) {
  const double width = 100.0 * static_cast<double>(entry.count) /
                       static_cast<double>(std::max<std::uint64_t>(first.count, 1));
  return fmt::format(
      R"(<svg class="share" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect width="{:.1f}" height="6"/></svg>)",
      width);
}

std::string top_section(std::string_view title, const std::vector<Ranked>& list,
                        std::uint64_t whole) {
  if (list.empty()) return {};
  std::string html = fmt::format("<section><h2>{}</h2><table><tbody>", title);
  for (const Ranked& entry : list) {
    const std::string detail =
        entry.detail.empty() ? "" : "<small>" + isolated(entry.detail) + "</small>";
    html += fmt::format(
        R"(<tr><td class="name">{}{}{}</td><td class="n">{}</td><td class="n soft">{}</td></tr>)",
        isolated(entry.name), detail, share_bar(entry, list.front()), number(entry.count),
        percent(entry.count, whole));
  }
  return html + "</tbody></table></section>";
}

std::string tops(const Report& report) {
  std::string html = "<div class=\"two\">" +
                     top_section("Most denied sources", report.top_sources, report.denied) +
                     top_section("Most denied services", report.top_services, report.denied) +
                     top_section("Rules that denied most", report.top_rules, report.denied) +
                     "</div>";
  if (report.shortfall > 0)
    html += fmt::format(
        "<p class=\"soft\">There were more sources than can be counted one by one: a source's "
        "number may be too low "
        "by up to {}.</p>",
        number(report.shortfall));
  return html;
}

std::string length_text(const Episode& episode) {
  const auto length = std::chrono::round<std::chrono::seconds>(episode.end - episode.begin);
  return length.count() > 0 ? duration_text(length) : "";
}

std::string episodes_section(const Report& report) {
  std::string html = "<section><h2>What happened</h2>";
  if (report.episodes.empty())
    return html +
           "<p class=\"soft\">Nothing: no restart, no change, no episode without the daemon, no "
           "record missing.</p></section>";
  const bool several = report.hosts.size() > 1;
  html += fmt::format(
      "<div class=\"wide\"><table><thead><tr><th scope=\"col\">When (UTC)</th><th "
      "scope=\"col\">For</th>{}<th scope=\"col\">What</th>"
      "<th scope=\"col\"></th></tr></thead><tbody>",
      several ? "<th scope=\"col\">Host</th>" : "");
  for (const Episode& episode : report.episodes) {
    html += fmt::format(
        "<tr><td class=\"kind\">{}</td><td class=\"kind\">{}</td>{}<td class=\"kind\">{}{}</td><td "
        "class=\"name\">{}</td></tr>",
        moment_text(episode.begin), length_text(episode),
        several ? "<td>" + isolated(episode.host) + "</td>" : "",
        swatch(fmt::format("k{}", static_cast<int>(episode.kind))), label(episode.kind),
        isolated(episode.text));
  }
  html += "</tbody></table></div>";
  if (report.more_episodes > 0)
    html += fmt::format("<p class=\"soft\">And {} more.</p>", number(report.more_episodes));
  return html + "</section>";
}

std::string accounts_section(const Report& report) {
  std::string html = "<section><h2>Is the log complete?</h2>";
  html += fmt::format("<p class=\"equation\">{} decided = {} written + {} folded + {} lost</p>",
                      number(report.decided()), number(report.written), number(report.folded),
                      number(report.lost));
  html += fmt::format(
      "<p class=\"soft\">{} came with a line of their own, {} were told by lines that stand for "
      "several, {} have no line.",
      number(report.written), number(report.folded), number(report.lost));
  html += report.missing_lines == 0
              ? " The lines' sequences have no hole."
              : fmt::format(
                    " <b class=\"bad\">{} missing</b> between the others, by their sequences.",
                    count_of(report.missing_lines, report.missing_lines == 1 ? "line is" : "line"));
  if (report.foreign > 0)
    html +=
        fmt::format(" {} no whole records of fwd's.",
                    report.foreign == 1 ? "One line is" : number(report.foreign) + " lines are");
  if (report.outside > 0)
    html +=
        fmt::format(" {} outside of the report's time and not counted.",
                    report.outside == 1 ? "One line lies" : number(report.outside) + " lines lie");
  if (report.undecided > 0)
    html += fmt::format(
        " {} left to another part of the kernel.",
        report.undecided == 1 ? "One decision was" : number(report.undecided) + " decisions were");
  html += "</p>";
  if (report.copy_packets > 0)
    html += fmt::format(
        "<p class=\"soft\">The kernel's copy of the policy decided {} in place of the daemon: {} "
        "allowed, {} denied. These aren't among the "
        "connections above.</p>",
        count_of(report.copy_packets, "packet"), number(report.copy_allowed),
        number(report.copy_denied));
  return html +
         "<p class=\"soft\">Whether a line was changed: <code>fwctl audit "
         "verify</code>.</p></section>";
}

}  // namespace

std::string summary(const Report& report) {
  if (report.decided() == 0) return "No connection was decided in this time.";
  std::string words = fmt::format(
      "{} of {} denied ({})", number(report.denied),
      count_of(report.decided(), "connection") + (report.decided() == 1 ? " was" : " were"),
      percent(report.denied, report.decided()));
  if (report.denied > 0 && !report.top_sources.empty())
    words += fmt::format(", from {}; most of one source, {}, came from {}",
                         count_of(report.sources, "source"),
                         number(report.top_sources.front().count), report.top_sources.front().name);
  words += ". ";
  if (report.lost == 0 && report.missing_lines == 0) return words + "No record is missing.";
  if (report.lost > 0)
    words += report.lost == 1 ? "One decision has no record. "
                              : number(report.lost) + " decisions have no record. ";
  if (report.missing_lines > 0)
    words += report.missing_lines == 1
                 ? "One line of the log is missing. "
                 : number(report.missing_lines) + " lines of the log are missing. ";
  words.pop_back();
  return words;
}

std::string render_page(const Report& report, Time made) {
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  html +=
      fmt::format("<title>Firewall report {}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n",
                  text(date_text(report.to)), kStyle);
  html += fmt::format("<header><h1>Firewall report{}{}</h1>\n<p class=\"soft\">{}</p></header>\n",
                      report.hosts.empty() ? "" : ": ", hosts_text(report), range_text(report));
  html += fmt::format("<p class=\"lead\">{}</p>\n", text(summary(report)));
  for (const std::string& part :
       {tiles(report), denied_section(report), services_section(report), heat_section(report),
        tops(report), episodes_section(report), accounts_section(report)})
    html += part + '\n';
  html += fmt::format("<footer>Made by fwctl " FWD_VERSION
                      " on {} UTC from the audit log. Counts are of new connections, and of open "
                      "ones that a change cut.</footer>\n",
                      moment_text(made));
  return html + "</main>\n</body>\n</html>\n";
}

}  // namespace ctl::report

// The report as one HTML page that needs nothing else: no script, no network.
#pragma once

#include <string>

#include "ctl/report/report.h"

namespace ctl::report {

std::string render_page(const Report& report, Time made);

// What the page begins with, in one or two sentences.
std::string summary(const Report& report);

}  // namespace ctl::report

// The report in short, for a terminal or a script.
#pragma once

#include <string>

#include "ctl/look.h"
#include "ctl/report/report.h"

namespace ctl::report {

std::string render_text(const Report& report, const Look& look);
std::string render_json(const Report& report);  // one line; fwctl(8) tells its fields

}  // namespace ctl::report

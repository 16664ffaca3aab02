// The report's plots, as SVG without script.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "ctl/report/report.h"

namespace ctl::report {

// Denied connections in each slot, stacked by cause, and below them on the same line of time what happened.
std::string denied_chart(const Report& report);

// One service over the same time: what was accepted as an area, what was denied as a line.
std::string service_chart(const Service& service);

// The line of time alone, to stand below several of these.
std::string service_axis(const Report& report);

std::string slot_text(const Report& report, std::size_t slot);  // "2026-08-20 10:10"

}  // namespace ctl::report

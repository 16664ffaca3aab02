// How the report looks, on a screen by day and by night, and on paper.
#pragma once

#include <string_view>

namespace ctl::report {

inline constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark; --paper: #f5f6f8; --card: #fff; --ink: #1c2430; --soft: #5d6878; --line: #e1e5ea;
  --accept: #2b7bb9; --deny: #cf3f4f; --good: #1d8a5b; --warn: #b8720a;
  --c0: #cf3f4f; --c1: #e8954a; --c2: #d9b93a; --c3: #7a5ea8; --c4: #4b8f8c; --c5: #8a93a0; --c6: #b9c2cd;
  --k0: #7a5ea8; --k1: #5d6878; --k2: #cf3f4f; --k3: #2b7bb9; --k4: #e8954a; --k5: #8a93a0; --heat: 207 63 79; }
@media (prefers-color-scheme: dark) { :root { --paper: #12161c; --card: #1b2129; --ink: #e6eaf0; --soft: #98a3b3; --line: #2c3440;
  --accept: #5aa9e6; --deny: #ef6b78; --good: #4cc38a; --warn: #e0a040; --c0: #ef6b78; --c1: #f0a868; --c2: #e3cb5f; --c3: #a58bd6;
  --c4: #6fbab6; --c5: #8a93a0; --c6: #4a5463; --k0: #a58bd6; --k1: #98a3b3; --k2: #ef6b78; --k3: #5aa9e6; --k4: #f0a868;
  --heat: 239 107 120; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto,
  "Helvetica Neue", Arial, sans-serif; font-variant-numeric: tabular-nums; }
main { max-width: 1120px; margin: 0 auto; padding: 32px 20px 48px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0; letter-spacing: -0.01em; }
h2 { font-size: 17px; margin: 0 0 2px; }
p { margin: 0; }
.soft, caption { color: var(--soft); }
.lead { font-size: 17px; margin: 14px 0 22px; max-width: 62em; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px; margin: 0 0 16px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 0 0 16px; padding: 0; }
.tiles > div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 16px; }
.tiles dt { color: var(--soft); font-size: 13px; }
.tiles dd { margin: 0; font-size: 24px; font-weight: 650; letter-spacing: -0.01em; }
.tiles small { display: block; font-size: 13px; font-weight: 400; letter-spacing: 0; color: var(--soft); }
.good { color: var(--good); } .bad { color: var(--deny); } .warn { color: var(--warn); }
.accept { color: var(--accept); } .deny { color: var(--deny); }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); gap: 16px; }
.two section { min-width: 0; }
svg { display: block; width: 100%; height: auto; }
svg.chart { margin-top: 8px; min-width: 640px; } table.services { min-width: 560px; }
svg text { fill: var(--soft); font-size: 12px; }
svg.row { height: 44px; } svg.axisrow { height: 18px; } svg.axisrow text { font-size: 12px; }
.grid, .lane { stroke: var(--line); stroke-width: 1; } .tick { stroke: var(--soft); }
.area { fill: var(--accept); opacity: .18; } .accepted, .denied { fill: none; stroke-width: 1.6; stroke-linejoin: round;
  vector-effect: non-scaling-stroke; }
.accepted { stroke: var(--accept); } .denied { stroke: var(--deny); }
.c0 { fill: var(--c0); } .c1 { fill: var(--c1); } .c2 { fill: var(--c2); } .c3 { fill: var(--c3); } .c4 { fill: var(--c4); }
.c5 { fill: var(--c5); } .c6 { fill: var(--c6); } .bar:hover { opacity: .75; }
.k0 { fill: var(--k0); } .k1 { fill: var(--k1); } .k2 { fill: var(--k2); } .k3 { fill: var(--k3); } .k4 { fill: var(--k4); }
.k5 { fill: var(--k5); }
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 6px 0 0; padding: 0; list-style: none; font-size: 13px; }
.legend svg { display: inline-block; width: 11px; height: 11px; margin-right: 6px; }
table { border-collapse: collapse; width: 100%; margin-top: 8px; font-size: 14px; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: 13px; }
th, td { padding: 5px 8px; border-bottom: 1px solid var(--line); vertical-align: middle; }
tr:last-child > * { border-bottom: 0; }
th:first-child, td:first-child { padding-left: 0; } th:last-child, td:last-child { padding-right: 0; }
.n { text-align: right; white-space: nowrap; }
.name { overflow-wrap: anywhere; } .name small { color: var(--soft); display: block; }
svg.share { height: 5px; margin-top: 4px; background: var(--line); border-radius: 3px; } .share rect { fill: var(--deny); }
.wide { overflow-x: auto; }
.services td.plot { width: 56%; padding-top: 2px; padding-bottom: 2px; }
.heat td { text-align: center; border: 2px solid var(--card); border-radius: 6px; }
.heat td.h0 { color: var(--line); }
.h1 { background: rgb(var(--heat) / .12); } .h2 { background: rgb(var(--heat) / .28); } .h3 { background: rgb(var(--heat) / .46); }
.h4 { background: rgb(var(--heat) / .66); } .h5 { background: rgb(var(--heat) / .88); color: #fff; }
.heat th[scope=row] { font-weight: 500; color: var(--ink); white-space: nowrap; border-bottom: 0; }
.heat thead th { text-align: center; border-bottom: 0; } .heat thead th:first-child { text-align: left; }
.equation { font-size: 19px; font-weight: 600; margin: 8px 0; }
details { margin-top: 10px; } summary { cursor: pointer; color: var(--soft); font-size: 13px; }
.kind { white-space: nowrap; } .kind svg { display: inline-block; width: 11px; height: 11px; margin-right: 6px; }
footer { color: var(--soft); font-size: 13px; margin-top: 20px; }
@media print { body { background: #fff; font-size: 11pt; } main { max-width: none; padding: 0; } details { display: none; }
  section, .tiles > div { break-inside: avoid; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
)css";

}  // namespace ctl::report

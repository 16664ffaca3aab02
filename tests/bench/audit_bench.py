#!/usr/bin/python3
"""What the audit log costs: its lines on one processor, beside a plain logger that writes the same bytes, and what it takes from
the daemon's verdicts, beside a daemon whose rules say `log none`. Needs root."""

import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from bench import hosts, verdict_bench  # noqa: E402
from bench.rows import Row, part_main, take_turns  # noqa: E402

MEMORY = "/dev/shm"  # a tmpfs: no disk is measured
LOGGED, UNLOGGED = "10", "10 unlogged"  # rules, as verdict_bench names its subjects


def lines(options):
    records = 60_000 if options.quick else 300_000
    with tempfile.TemporaryDirectory(dir=MEMORY) as directory:
        file = pathlib.Path(directory) / "audit.json"

        def side(name):
            if name == "ours":
                file.unlink(missing_ok=True)
            argv = [hosts.program("audit"), name, file, records]
            return float(subprocess.run(list(map(str, argv)), check=True, capture_output=True, text=True).stdout)

        rates = take_turns({name: lambda name=name: side(name) for name in ("ours", "spdlog")}, options.rounds)
    yield Row("audit records a second: encoded, chained, written", "/s", rates["ours"], least=300_000,
              note="one processor's time, tmpfs")
    yield Row("audit records a second", "/s", rates["ours"], rates["spdlog"], "spdlog, the same bytes")


def verdicts(options):
    column = verdict_bench.measure_all([LOGGED, UNLOGGED], options, pinned=False)
    for name, found in column.items():
        if any(records.startswith("0 lines, 0 folded") != (name == UNLOGGED) for records in found["records"]):
            raise RuntimeError(f"{name}: {found['records']}")
    yield Row(f"verdicts a second, standing queue, {LOGGED} rules, audit on", "/s", column[LOGGED]["rate"], column[UNLOGGED]["rate"],
              "the same, `log none`", least=0.95)
    yield Row(f"CPU for a verdict, {LOGGED} rules, audit on", "us", column[LOGGED]["cost"], column[UNLOGGED]["cost"],
              "the same, `log none`", note="all threads")


def rows(options):
    yield from lines(options)
    yield from verdicts(options)


if __name__ == "__main__":
    part_main(__doc__, rows)

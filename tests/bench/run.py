#!/usr/bin/python3
"""`make bench`: all parts of the bench, one after the other, and one table of what they found. A row whose gate fails says so
and fails nothing; a part that can't be run is told, and the others go on."""

import argparse
import os
import pathlib
import subprocess
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.dont_write_bytecode = True
from bench import audit_bench, change_bench, copy_bench, memory_bench, traffic_bench, verdict_bench  # noqa: E402
from bench.rows import HEAD, Options, line, write  # noqa: E402
from lab.firewall import build_directory  # noqa: E402
from lab.netns import remove_abandoned  # noqa: E402
from lab.process import exit_on_signals  # noqa: E402

PARTS = {"verdict": verdict_bench, "traffic": traffic_bench, "change": change_bench, "memory": memory_bench, "copy": copy_bench,
         "audit": audit_bench}


def classify(options, results):
    """The classifier's rows are a table of their own: they need no network."""
    argv = [build_directory() / "tests" / "bench" / "classifier_bench", "--json", results / "classifier.json"]
    return subprocess.run(argv + ["--quick"] * options.quick, check=False).returncode == 0


def run_part(name, part, options):
    rows, start = [], time.monotonic()
    try:
        for row in part.rows(options):
            rows.append(row)
            print(line(row), flush=True)
    except Exception:  # pylint: disable=broad-except  # the other parts can still be measured
        traceback.print_exc()
        print(f"the part {name} ended early", flush=True)
        return rows, False
    print(f"{'':4}{name} took {time.monotonic() - start:.0f} s", flush=True)
    return rows, True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", help="the build tree; else FWD_BUILD, else build/")
    parser.add_argument("--quick", action="store_true", help="fewer sizes and rounds")
    parser.add_argument("--only", nargs="+", choices=["classifier", *PARTS], default=["classifier", *PARTS])
    arguments = parser.parse_args()
    if arguments.programs:
        os.environ["FWD_BUILD"] = arguments.programs
    options = Options(arguments.quick)
    results = build_directory() / "bench"
    results.mkdir(parents=True, exist_ok=True)
    complete = classify(options, results) if "classifier" in arguments.only else True
    if os.geteuid() != 0:
        sys.exit("the other parts need root, for network namespaces")
    exit_on_signals()
    remove_abandoned()
    print(f"\n{HEAD}")
    rows = []
    for name in [name for name in PARTS if name in arguments.only]:
        found, whole = run_part(name, PARTS[name], options)
        rows += found
        complete = complete and whole
    write(rows, results / "rows.json")
    failed = sum(row.holds() is False for row in rows)
    print(f"{len(rows)} rows, {failed} of {sum(row.holds() is not None for row in rows)} gates fail; medians, noise: half of what "
          f"lies between the quartiles; {results / 'rows.json'}")
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())

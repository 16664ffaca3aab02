#!/usr/bin/python3
"""The daemon's resident memory after its start, by the number of rules. Needs root."""

import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from bench import hosts  # noqa: E402
from bench.rows import Row, part_main  # noqa: E402
from lab.netns import Namespace  # noqa: E402

GATES = {10: 12, 10_000: None, 100_000: 60}  # megabytes


def resident(rules):
    with tempfile.TemporaryDirectory() as directory, Namespace("memory") as host:
        with hosts.Daemon(host, directory, rules) as daemon:
            time.sleep(1)  # what starting it left to do is done
            return hosts.resident_megabytes(daemon.process.pid)


def rows(options):
    for rules, most in GATES.items():
        if options.quick and rules > 10_000:
            continue
        yield Row(f"resident memory, {rules} rules", "MB", [resident(rules)], most=most)


if __name__ == "__main__":
    part_main(__doc__, rows)

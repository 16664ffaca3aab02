"""What the parts of the bench share: sides measured in turns, and rows of the one table that they end in."""

import argparse
import contextlib
import dataclasses
import json
import os
import statistics
import sys

from lab.process import exit_on_signals


@dataclasses.dataclass
class Options:
    quick: bool = False

    @property
    def rounds(self):
        return 2 if self.quick else 5


@dataclasses.dataclass
class Row:
    """Two sides of one measurement, value by value of the rounds. Without `theirs` the gate is on ours itself."""

    name: str
    unit: str
    ours: list
    theirs: list = None
    against: str = ""
    most: float = None
    least: float = None
    note: str = ""

    def ratios(self):
        return [mine / other for mine, other in zip(self.ours, self.theirs, strict=True)] if self.theirs else None

    def value(self):
        """What the gate is on: the median of the rounds' ratios, since what disturbs a round disturbs both sides."""
        return statistics.median(self.ratios() or self.ours)

    def holds(self):
        """None for a row without a gate."""
        if self.most is None and self.least is None:
            return None
        return (self.most is None or self.value() <= self.most) and (self.least is None or self.value() >= self.least)

    def noise(self):
        """Half of what lies between the quartiles, as a part of the median."""
        values = self.ratios() or self.ours
        if len(values) < 2:
            return None
        low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
        return (high - low) / 2 / middle if middle else None

    def gate(self):
        return f"<= {self.most:g}" if self.most is not None else f">= {self.least:g}" if self.least is not None else ""

    def report(self):
        return dataclasses.asdict(self) | {"ratio": self.value() if self.theirs else None, "noise": self.noise(),
                                           "gate": self.gate(), "holds": self.holds()}


def take_turns(sides, rounds):
    """Measures every side once, then every side again the other way round, and so on, so that none gains by its place; the values
    of each by its name."""
    values = {name: [] for name in sides}
    order = list(sides)
    for _ in range(rounds):
        for name in order:
            values[name].append(sides[name]())
        order.reverse()
    return values


def take_turns_of_new(names, make, measure, sets, turns):
    """take_turns(), so many times, of subjects that are made anew each time, in another order: two of a kind may differ by a tenth
    for as long as they live. make(name) is a context manager of a subject, measure(name, subject) returns a value."""
    values = {name: [] for name in names}
    for number in range(sets):
        first = number % len(names)
        with contextlib.ExitStack() as stack:
            subjects = {name: stack.enter_context(make(name)) for name in names[first:] + names[:first]}
            sides = {name: lambda name=name: measure(name, subjects[name]) for name in subjects}
            for name, found in take_turns(sides, turns).items():
                values[name] += found
    return values


HEAD = f"{'':52}{'ours':>11} {'theirs':>11} {'':5}{'ratio':>8} {'noise':>6}  {'gate':9}"


def line(row):
    ours = f"{statistics.median(row.ours):.4g}"
    theirs = f"{statistics.median(row.theirs):.4g}" if row.theirs else "-"
    ratio = f"{row.value():.3g}" if row.theirs else "-"
    noise = f"{row.noise():.0%}" if row.noise() is not None else "-"
    held = {None: "", True: "holds", False: "FAILS"}[row.holds()]
    against = f"  against {row.against}" if row.against else ""
    note = f"  ({row.note})" if row.note else ""
    return f"{row.name:52}{ours:>11} {theirs:>11} {row.unit:5}{ratio:>8} {noise:>6}  {row.gate():9}{held:6}{against}{note}"


def write(rows, path):
    path.write_text(json.dumps([row.report() for row in rows], indent=2) + "\n", encoding="utf-8")


def part_main(description, rows):
    """A part of the bench as a program of its own."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("network namespaces need root")
    exit_on_signals()
    print(HEAD)
    for row in rows(Options(arguments.quick)):
        print(line(row), flush=True)

"""What the demo says. Every check is shown and counted; colour only on a terminal."""

import sys
import time

_RED, _GREEN, _BOLD, _DIM = "31", "32", "1", "2"


def _words(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


class Report:
    def __init__(self):
        self._colour = sys.stdout.isatty()
        self._start = time.monotonic()
        self.checks = 0
        self.differences = []

    def section(self, title, *lines):
        """A headline and a few sentences on what is about to be shown, and why."""
        print(f"\n{self._paint(_BOLD, title)}")
        for line in lines:
            print(f"  {line}")
        sys.stdout.flush()

    def quote(self, text):
        """Somebody else's output or file, indented."""
        for line in text.rstrip().splitlines():
            print(f"    {self._paint(_DIM, '|')} {line}")

    def command(self, line):
        print(f"    {self._paint(_BOLD, '$ ' + line)}")

    def check(self, what, expected, measured):
        """One line: what was measured and whether it is what was expected."""
        mark = self._judge(what, expected, measured)
        wanted = "" if expected == measured else f" (expected {_words(expected)})"
        print(f"  {mark} {what}: {_words(measured)}{wanted}", flush=True)

    def cell(self, what, expected, measured, width):
        """The same for a cell of a table, as text of that width; a difference is marked with an exclamation mark."""
        good = self._judge(what, expected, measured) == self._paint(_GREEN, "ok")
        colour = (_GREEN if measured == "open" else _DIM) if good else _RED
        return self._paint(colour, (measured if good else f"{measured}!").ljust(width))

    def finish(self):
        """The last lines; the program's exit status."""
        seconds = time.monotonic() - self._start
        for difference in self.differences:
            print(self._paint(_RED, f"  differs: {difference}"))
        summary = f"{self.checks} checks, {len(self.differences)} differ, {seconds:.0f} s"
        print(f"\n{self._paint(_RED if self.differences else _GREEN, summary)}")
        return 1 if self.differences or not self.checks else 0

    def _judge(self, what, expected, measured):
        self.checks += 1
        if expected == measured:
            return self._paint(_GREEN, "ok")
        self.differences.append(f"{what}: expected {_words(expected)}, measured {_words(measured)}")
        return self._paint(_RED, "NO")

    def _paint(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self._colour else text

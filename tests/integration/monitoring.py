"""What the tests of monitoring/ share: the shipped files, put to work in a test's own directory."""

import pathlib
import shutil
import unittest

from lab.firewall import ROOT

SHIPPED = ROOT / "monitoring"


def needs(*programs):
    """Skips a test aloud on a machine without one of these programs."""
    missing = [program for program in programs if not shutil.which(program)]
    return unittest.skipIf(missing, f"needs {' and '.join(missing)}: ./bootstrap check installs it")


def adapted(source, target, changes):
    """Copies a shipped file to `target`, with its paths and addresses replaced by the test's; each must occur in it."""
    text = pathlib.Path(source).read_text(encoding="utf-8")
    for old, new in changes.items():
        if old not in text:
            raise AssertionError(f"{source} has no {old!r}")
        text = text.replace(old, str(new))
    target.write_text(text, encoding="utf-8")
    return target

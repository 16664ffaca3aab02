"""fwctl audit verify and status, with a log that a daemon wrote about real connections."""

import gzip
import json
import signal

from audit_log import chained, tally
from harness import SERVER, FwdTest
from lab.process import wait_until
from traffic import Listener, is_open


class Verify(FwdTest):
    policy = "default deny in\nallow in 80/tcp\n"

    def setUp(self):
        super().setUp()
        with Listener(self.server, 80):
            for number in range(3):
                for port in (80, 81):
                    is_open(self.client, 4, SERVER[4], port)
                wait_until(lambda: self.fwd.status()["audit"]["waiting"] == 0, 3, "all is written")
                if number < 2:
                    self.fwd.audit_file.rename(self.fwd.directory / f"audit.json.{2 - number}")
                    self.fwd.process.signal(signal.SIGHUP)
                    wait_until(self.fwd.audit_file.exists, 3, "a new file")
        self.old = self.fwd.directory / "audit.json.2"
        self.older_than_present = self.fwd.directory / "audit.json.1"
        self.files = [self.older_than_present, self.fwd.audit_file, self.old]

    def verify(self, status, *files):
        return self.ctl(status, "--state", str(self.fwd.state), "audit", "verify", *map(str, files or self.files))

    def rewrite(self, path, change):
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(change(lines)))

    def test_what_was_written_is_intact_also_while_the_daemon_writes(self):
        self.assertIn("Intact", self.verify(0))
        lines = b"".join(path.read_bytes() for path in (self.old, self.older_than_present, self.fwd.audit_file))
        lines = lines.splitlines(keepends=True)
        self.assertEqual(chained(lines), [])
        report = self.fwd.json("audit", "status")
        self.assertEqual({name: report["counts"][name] for name in ("written", "folded", "lost")}, tally(lines))
        self.assertEqual(report["counts"]["decided"], sum(tally(lines).values()))
        self.assertEqual((report["sequence"], report["trouble"]), (len(lines), ""))
        self.assertRegex(self.ctl(0, "audit", "status"), r"6 decided = 6 written \+ 0 folded \+ 0 lost \+ 0 waiting")

    def test_a_restart_goes_on_with_the_chain(self):
        self.fwd.stop()
        self.assertIn("Intact", self.verify(0))
        self.fwd.start()
        self.fwd.stop()
        self.assertIn("Intact", self.verify(0))

    def test_compressed_files_are_read(self):
        packed = self.old.with_suffix(".2.gz")
        packed.write_bytes(gzip.compress(self.old.read_bytes()))
        self.old.unlink()
        self.assertIn("Intact", self.verify(0, packed, self.older_than_present, self.fwd.audit_file))

    def test_each_kind_of_tampering_is_found_where_it_is(self):
        whole = {path: path.read_bytes() for path in self.files}
        sequences = [json.loads(line)["event"]["sequence"] for line in whole[self.older_than_present].splitlines()]
        cases = {
            "an edited byte": (self.old, lambda lines: [lines[0], lines[1].replace(b'"tcp"', b'"tcq"'), *lines[2:]],
                               "audit.json.2:2: the line was changed"),
            "a removed line": (self.old, lambda lines: [lines[0], *lines[2:]], "audit.json.2:2: line 2 is missing"),
            "a swapped line": (self.old, lambda lines: [lines[1], lines[0], *lines[2:]], "audit.json.2:2: line 1 comes after"),
            "an inserted line": (self.old, lambda lines: [lines[0], lines[0], *lines[1:]],
                                 "audit.json.2:2: line 1 comes after line 1"),
            "a truncated tail": (self.fwd.audit_file, lambda lines: lines[:-1], "the log ends here, but fwd has written more"),
            "a tail cut within a line": (self.fwd.audit_file, lambda lines: [*lines[:-1], lines[-1][:99]], "the log ends here"),
            "a missing file": (self.older_than_present, lambda _: [],
                               f"audit.json:1: lines {sequences[0]} to {sequences[-1]} are missing between"),
        }
        for name, (path, change, found) in cases.items():
            with self.subTest(name):
                self.rewrite(path, change)
                self.assertIn(found, self.verify(1))
                path.write_bytes(whole[path])
        self.assertIn("Intact", self.verify(0))

"""fwctl watch: the audit log as it comes, with a real daemon and real traffic."""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess

from harness import PEER, SERVER, STRANGER
from lab.process import Process, wait_until
from test_audit_flow import FlowTest
from traffic import Listener, is_open, knock

WEB, CLOSED = 8080, 3306


class Watching(FlowTest):
    policy = f'default deny in\nallow in {WEB}/tcp comment "web"\n'

    def watching(self, *arguments, name="watch", log=None):
        """fwctl watch in the background; it follows the log when this returns."""
        process = Process(self.server, self.fwd.ctl_argv("watch", *arguments), self.directory / name)
        self.stack.callback(process.stop)
        wait_until(lambda: self.follows(process.pid, log or self.fwd.audit_file), 5, "fwctl follows the log", process)
        return process

    @staticmethod
    def follows(pid, log):
        """It has opened the log, and sleeps until that grows."""
        opened = set()
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                opened.add(os.readlink(entry.path))
        state = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2][0]
        return str(log) in opened and state == "S"

    def output(self, name="watch"):
        return (self.directory / name).read_text(encoding="utf-8")

    def wait_for(self, pattern, name="watch"):
        return wait_until(lambda: re.search(pattern, self.output(name)), 5, f"watch shows {pattern!r}")

    def assert_each_verdict_is_a_line(self):
        self.watching()
        with Listener(self.server, WEB):
            self.assertTrue(is_open(self.client, 4, SERVER[4], WEB))
        knock(self.client, 4, SERVER[4], CLOSED, PEER[4])
        self.wait_for(rf"accept in  tcp   {STRANGER[4]}:\d+ -> {SERVER[4]}:{WEB} .*[0-9a-f]{{16}} web\n")
        self.wait_for(rf"drop   in  tcp   {PEER[4]}:\d+ -> {SERVER[4]}:{CLOSED} +mysql +default\n")


class Watch(Watching):
    def test_each_verdict_is_a_line(self):
        self.assert_each_verdict_is_a_line()

    def test_ends_of_connections_are_shown_to_who_asks_for_them(self):
        self.watching("ended", name="ended")
        self.watching()
        with Listener(self.server, WEB):
            self.assertTrue(is_open(self.client, 4, SERVER[4], WEB))
        self.flush()
        self.wait_for(rf"end    in  tcp   {STRANGER[4]}:\d+ -> {SERVER[4]}:{WEB} .* web  -> \d+ B <- \d+ B", "ended")
        knock(self.client, 4, SERVER[4], CLOSED)
        self.wait_for(" drop ")
        self.assertNotRegex(self.output(), " end ")
        self.assertNotRegex(self.output("ended"), " accept | drop ")

    def test_filters_choose_verdicts(self):
        self.watching("denied", name="denied")
        self.watching("accepted", "port", str(WEB), PEER[4], name="peer")
        with Listener(self.server, WEB):
            for source in (STRANGER[4], PEER[4]):
                self.assertTrue(is_open(self.client, 4, SERVER[4], WEB, source))
        knock(self.client, 4, SERVER[4], CLOSED)
        self.wait_for(" drop ", "denied")
        self.wait_for(" accept ", "peer")
        self.assertNotIn("accept", self.output("denied"))
        self.assertNotIn(STRANGER[4] + ":", self.output("peer"))

    def test_a_kill_a_restart_and_rotations_lose_no_line_and_show_none_twice(self):
        self.watching("--json")
        with Listener(self.server, WEB):
            self.assertTrue(is_open(self.client, 4, SERVER[4], WEB))
            self.fwd.kill()
            self.fwd.start()
            self.assertTrue(is_open(self.client, 4, SERVER[4], WEB))
            for number in (2, 1):
                self.rotate(number)
                self.assertTrue(is_open(self.client, 4, SERVER[4], WEB))
            self.fwd.stop()
            self.fwd.start()
            self.assertTrue(is_open(self.client, 4, SERVER[4], WEB))
        last = max(record["event"]["sequence"] for record in self.fwd.audit())
        wait_until(lambda: self.sequences()[-1:] >= [last], 5, "watch shows the last line")
        sequences = self.sequences()
        self.assertEqual(sequences, list(range(sequences[0], sequences[-1] + 1)))
        actions = [json.loads(line)["event"]["action"] for line in self.output().splitlines()]
        self.assertEqual(actions.count("start"), 2)

    def rotate(self, number):
        self.fwd.audit_file.rename(f"{self.fwd.audit_file}.{number}")
        self.fwd.process.signal(signal.SIGHUP)
        wait_until(self.fwd.audit, 5, "the daemon goes on in a new file")

    def sequences(self):
        return [json.loads(line)["event"]["sequence"] for line in self.output().splitlines()]

    def test_with_since_it_begins_with_what_was_before(self):
        with Listener(self.server, WEB):
            self.assertTrue(is_open(self.client, 4, SERVER[4], WEB))
        self.records(1, event__action="accept")
        self.rotate(1)
        self.watching("--since", "1h", "accepted")
        self.wait_for(r"\* (.*\n)*.* accept in ")

    def test_lines_that_are_missing_or_foreign_are_told(self):
        for _ in range(4):
            knock(self.client, 4, SERVER[4], CLOSED)
        self.records(4, event__action="drop")
        lines = self.fwd.audit_file.read_text(encoding="utf-8").splitlines(keepends=True)
        first = json.loads(lines[-3])["event"]["sequence"]
        broken = self.directory / "broken" / "audit.json"
        broken.parent.mkdir()
        broken.write_text("".join([*lines[:-3], "hello\n", lines[-1]]), encoding="utf-8")
        self.watching("--since", "1h", "--audit", str(broken), log=broken)
        self.wait_for(r"-- a line that is no record of fwd's\n")
        self.wait_for(f"-- 2 lines are missing in the log, from {first} to {first + 1}\n")

    def test_it_ends_quietly_with_who_reads_it_and_by_an_interrupt(self):
        watch = self.server.popen(self.fwd.ctl_argv("watch", "--since", "1h"), stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)
        watch.stdout.readline()
        watch.stdout.close()
        knock(self.client, 4, SERVER[4], CLOSED)
        self.assertEqual((watch.wait(10), watch.stderr.read()), (-signal.SIGPIPE, b""))
        watch.stderr.close()
        interrupted = self.watching(name="interrupted")
        interrupted.signal(signal.SIGINT)
        self.assertEqual(interrupted.wait(5), -signal.SIGINT)

    def test_bad_command_lines_and_logs_that_cant_be_read_are_told(self):
        self.assertIn("\"deneid\" is neither an address nor a word of the filter: did you mean \"denied\"?",
                      self.ctl(2, "watch", "deneid"))
        self.assertIn("--since: \"soon\" is no time", self.ctl(2, "watch", "--since", "soon"))
        self.assertIn("--since is no option of status", self.ctl(2, "status", "--since", "1h"))
        self.assertIn("No such file", self.ctl(1, "watch", "--audit", "/nonexistent/audit.json"))
        result = self.fwd.ctl("watch", "--audit", str(self.fwd.audit_file), user=12345, group=12345, extra_groups=[])
        self.assertEqual(result.returncode, 4, result.stderr)
        self.assertIn("the audit log is for root and the group fwd-read", result.stderr)


class WatchEve(Watching):
    settings = '[audit]\nformat = "eve"\n'

    def test_each_verdict_is_a_line_in_the_other_format_too(self):
        self.assert_each_verdict_is_a_line()

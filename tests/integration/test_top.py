"""fwctl top: rates of real traffic, on a real (pseudo) terminal and in batches."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading

from harness import PEER, SERVER, STRANGER, FwdTest
from lab.process import wait_until
from traffic import Listener, is_open, knock

WEB, CLOSED = 8080, 3306
LEAVE = b"\x1b[?1049l"


class Terminal:
    """A program on a terminal of its own, which keeps what it writes."""

    def __init__(self, namespace, argv, lines=40, columns=120):
        self.master, self.slave = pty.openpty()
        self.resize(lines, columns)
        self.before = termios.tcgetattr(self.slave)
        self.written = b""
        self.process = namespace.popen(argv, stdin=self.slave, stdout=self.slave, stderr=self.slave,
                                       preexec_fn=self._take_terminal, start_new_session=True,
                                       env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"})
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _take_terminal(self):
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)

    def _read(self):
        try:
            while data := os.read(self.master, 65536):
                self.written += data
        except OSError:
            pass

    def resize(self, lines, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def frame(self):
        """What the last whole page says, without colours."""
        pages = self.written.decode(errors="replace").split("\x1b[H")[1:]
        whole = [page for page in pages if page.rstrip().endswith("\x1b[J")]
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", whole[-1]).replace("\r", "") if whole else ""

    def type(self, keys):
        os.write(self.master, keys)

    def restored(self):
        """The terminal is as it was: its settings, its screen, its cursor."""
        return termios.tcgetattr(self.slave) == self.before and LEAVE in self.written and b"\x1b[?25h" in self.written

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.slave)
        self._reader.join(5)
        os.close(self.master)


class Top(FwdTest):
    policy = f"default deny in\nallow in {WEB}/tcp comment \"web\"\ndeny in from {PEER[4]} log none\n"

    def terminal(self, *arguments, **options):
        terminal = Terminal(self.server, self.fwd.ctl_argv("top", "-d", "0.3", *arguments), **options)
        self.stack.callback(terminal.close)
        self.shows(terminal, r"active +queues")
        return terminal

    def shows(self, terminal, pattern):
        return wait_until(lambda: re.search(pattern, terminal.frame()), 8, f"top shows {pattern!r}:\n{terminal.frame()}")

    def traffic(self, accepted, denied=1):
        with Listener(self.server, WEB):
            for _ in range(accepted):
                self.assertTrue(is_open(self.client, 4, SERVER[4], WEB))
        for _ in range(denied):
            knock(self.client, 4, SERVER[4], CLOSED)

    def test_a_page_shows_what_happens_and_leaves_the_terminal_as_it_was(self):
        top = self.terminal()
        self.shows(top, r"active +queues: 0 waiting, 0 dropped +audit: \d+ waiting, 0 lost")
        self.traffic(7)
        self.shows(top, r"http-alt +\S+ +\S+ +7 ")
        self.shows(top, rf"allow in {WEB}/tcp  web +\S+ +\S+ +7 ")
        self.shows(top, r"mysql +- +\S+ +1 ")
        self.shows(top, r"default deny in +- ")
        self.shows(top, rf"{re.escape(STRANGER[4])} +- +\S+ +1 +.*[▁-█]")
        self.assertFalse(top.restored())
        top.resize(12, 60)
        wait_until(lambda: top.frame().count("\n") < 12, 5, "the page has the new size")
        top.type(b"q")
        self.assertEqual(top.process.wait(5), 0)
        self.assertTrue(top.restored())

    def test_a_signal_leaves_the_terminal_as_it_was(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGABRT):
            with self.subTest(number):
                top = self.terminal()
                top.process.send_signal(number)
                self.assertEqual(top.process.wait(5), -number)
                self.assertTrue(top.restored())
        stopped = self.terminal()
        stopped.process.send_signal(signal.SIGTSTP)
        wait_until(stopped.restored, 5, "the terminal is as it was while top is stopped")
        pages = stopped.written.count(b"\x1b[H")
        stopped.process.send_signal(signal.SIGCONT)
        wait_until(lambda: stopped.written.count(b"\x1b[H") > pages, 5, "top goes on")
        self.assertNotEqual(termios.tcgetattr(stopped.slave), stopped.before)

    def test_a_daemon_that_is_killed_and_comes_back_is_told(self):
        top = self.terminal()
        self.traffic(3)
        self.shows(top, r"http-alt +\S+ +\S+ +3 ")
        self.fwd.kill()
        self.shows(top, "fwd doesn't answer: the kernel's copy of the policy decides")
        self.fwd.start()
        self.shows(top, r"active +queues")
        self.traffic(2)
        self.shows(top, r"http-alt +\S+ +\S+ +5 ")
        self.assertNotRegex(top.written.decode(errors="replace"), r"-\d+\.\d")

    def test_batches_tell_exactly_what_was_sent(self):
        top = self.server.popen(self.fwd.ctl_argv("--json", "top", "-d", "0.5", "-n", "1000"), stdout=subprocess.PIPE, text=True)
        self.stack.callback(top.wait)
        self.stack.callback(top.kill)
        self.stack.callback(top.stdout.close)
        samples = [json.loads(top.stdout.readline())]
        self.traffic(9, 1)
        knock(self.client, 4, SERVER[4], CLOSED, PEER[4])

        def counted(kind):
            return round(sum(sample[f"{kind}_per_second"] * sample["seconds"] for sample in samples), 6)

        while counted("accepted") + counted("denied") < 11 and len(samples) < 40:
            samples.append(json.loads(top.stdout.readline()))
        self.assertEqual((counted("accepted"), counted("denied")), (9, 2))
        rules = {row["name"]: row for sample in samples for row in sample["rules"]}
        self.assertEqual(rules[f"allow in {WEB}/tcp"]["total"], 9)
        self.assertEqual(rules[f"deny in from {PEER[4]} log none"]["total"], 1)
        self.assertEqual(rules["default deny in"]["total"], 1)
        sources = {row["name"] for sample in samples for row in sample["sources"]}
        self.assertEqual(sources, {STRANGER[4]})

    def test_once_is_for_scripts_and_bad_options_are_told(self):
        self.assertRegex(self.ctl(0, "top", "--once", "-d", "0.2"), r"active .*\n.*Accepted/s -  Denied/s -")
        self.assertIn("top needs a terminal", self.ctl(2, "top"))
        for option in (("-d", "0"), ("-d", "x"), ("-n", "0"), ("-n", "-1"), ("--once=1",)):
            with self.subTest(option):
                self.assertIn(option[0].partition("=")[0], self.ctl(2, "top", *option))
        self.fwd.stop()
        self.assertIn("fwd doesn't answer", self.ctl(0, "top", "--once", "-d", "0.2"))

"""Whose socket a connection begins or ends at, as the audit log tells it."""

import contextlib
import os
import pathlib
import socket
import subprocess
import sys

from harness import FAMILIES, SERVER, STRANGER, FwdTest
from traffic import Listener, connect, is_open, udp_outcome

NOBODY = 65534
WEB, CLOSED, UDP, OUTSIDE = 80, 81, 5353, 9000

# A server of another user, in another cgroup: prints a line once it listens, and ends with its standard input.
_SERVER = """
import os, socket, sys
kind, family, port, uid, procs = sys.argv[1:]
if procs:
    with open(procs, "w") as file:
        file.write(str(os.getpid()))
os.setgid(int(uid))
os.setuid(int(uid))
sock = socket.socket(getattr(socket, family), getattr(socket, kind))
sock.bind(("", int(port)))
if kind == "SOCK_STREAM":
    sock.listen()
print("listening", flush=True)
sys.stdin.read()
"""


def cgroup2():
    """Where the hierarchy is mounted; nothing where it isn't."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        if " - cgroup2 " in line:
            return pathlib.Path(line.split()[4])
    return None


class Owners(FwdTest):
    policy = f"default deny in\nallow in {WEB}/tcp\nallow in {CLOSED}/tcp\nallow in {UDP}/udp\n"

    def setUp(self):
        super().setUp()
        self.server.sysctl("net/ipv4/ip_unprivileged_port_start", 0)

    @contextlib.contextmanager
    def serving(self, kind, family, port, cgroup=None):
        """A server of nobody's on the firewall's host, in this cgroup."""
        procs = str(cgroup / "cgroup.procs") if cgroup else ""
        with self.server.popen([sys.executable, "-c", _SERVER, kind, family, str(port), str(NOBODY), procs],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            try:
                self.assertEqual(process.stdout.readline(), b"listening\n")
                yield
            finally:
                process.stdin.close()
                process.wait(5)

    def test_who_listens_owns_what_is_let_in_and_what_is_refused(self):
        self.ctl(0, "insert", "1", "deny", "in", "82/tcp")
        for port, action in ((WEB, "accept"), (82, "drop")):
            for family in FAMILIES:
                with self.subTest(port=port, family=family), self.serving("SOCK_STREAM", "AF_INET6", port):
                    is_open(self.client, family, SERVER[family], port)
                    record = self.records(1, source__ip=STRANGER[family], destination__port=port)[0]
                    self.assert_fields(record, event__action=action, fwd__owner__uid=str(NOBODY))

    def test_udp_has_owners_too(self):
        with self.serving("SOCK_DGRAM", "AF_INET", UDP):
            udp_outcome(self.client, 4, SERVER[4], UDP)
            self.assert_fields(self.records(1, destination__port=UDP)[0], fwd__owner__uid=str(NOBODY))

    def test_an_outgoing_connection_belongs_to_who_makes_it(self):
        with Listener(self.client, OUTSIDE), self.server.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
            os.fchown(sock.fileno(), NOBODY, NOBODY)
            sock.connect((STRANGER[4], OUTSIDE))
            record = self.records(1, destination__port=OUTSIDE)[0]
            self.assert_fields(record, network__direction="egress", fwd__owner__uid=str(NOBODY))

    def test_where_nobody_listens_the_owner_is_unknown(self):
        self.assertFalse(is_open(self.client, 4, SERVER[4], CLOSED))
        self.client.run(["ping", "-c", "1", "-W", "2", SERVER[4]])
        for record in (self.records(1, destination__port=CLOSED)[0], self.records(1, network__transport="icmp")[0]):
            self.assert_fields(record, fwd__owner__uid="unknown", fwd__owner__unit="unknown")

    def test_the_unit_is_that_of_the_sockets_cgroup(self):
        root = cgroup2()
        if not root:
            self.skipTest("no cgroup2 hierarchy is mounted here")
        piece = root / f"fwdlab-{os.getpid()}.slice"
        group = piece / "web.service" / "worker"
        made = []
        try:
            for path in (piece, piece / "web.service", group):
                path.mkdir()
                made.append(path)
        except OSError as error:
            for path in reversed(made):
                path.rmdir()
            self.skipTest(f"this machine lets nobody make a cgroup: {error}")
        self.addCleanup(lambda: [path.rmdir() for path in reversed(made)])
        with self.serving("SOCK_STREAM", "AF_INET", WEB, cgroup=group):
            connect(self.client, 4, SERVER[4], WEB).close()
            self.assert_fields(self.records(1, destination__port=WEB)[0], fwd__owner__uid=str(NOBODY),
                               fwd__owner__unit="web.service")

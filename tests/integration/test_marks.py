"""Marks and priorities: what a local process forges there decides nothing, and what belongs to others is kept."""

import contextlib
import socket

from harness import FAMILIES, SERVER, STRANGER, FwdTest
from traffic import INET, Listener, connect, endpoint, exchange

# A class of tc's, 1:10, as SO_PRIORITY takes it: of the bits that fwd uses for packets to be judged.
_CLASS = 0x00010010
# Another program's chains between fwd's two: they overwrite class and verdict.
_BETWEEN = """
table inet between {
  chain into { type filter hook input priority 5; meta priority set 1:10 ; }
  chain out_of { type filter hook output priority 5; meta priority set 1:10 ; }
}
"""

# Another program's table: it marks connections and packets in the bits that aren't fwd's, and counts what is left of
# that behind fwd's chains.
_OTHERS = """
table inet others {
  chain early { type filter hook prerouting priority mangle; ct state new ct mark set ct mark or 0x77; }
  chain early_out { type filter hook output priority mangle; ct state new ct mark set ct mark or 0x77; }
  chain late { type filter hook input priority 200; tcp dport 80 ct mark and 0xffffff == 0x77 counter name kept_in; }
  chain late_out {
    type filter hook postrouting priority 200
    tcp dport 9000 ct mark and 0xffffff == 0x77 counter name kept_out
    tcp dport 9000 meta mark 0x42 meta priority 0x5 counter name socket_kept
    tcp dport 9000 meta priority 1:10 counter name class_kept
    tcp dport 9000 counter name all_out
  }
  counter kept_in { }
  counter kept_out { }
  counter socket_kept { }
  counter all_out { }
  counter class_kept { }
}
"""


class Forged(FwdTest):
    policy = "default deny in\ndefault allow out\ndeny out proto tcp to any port 25\n"

    def test_no_priority_and_no_mark_opens_what_is_denied(self):
        forgeries = [(socket.SO_PRIORITY, kind << 28 | generation << 22) for kind in range(16) for generation in (1, 2)]
        forgeries += [(socket.SO_MARK, kind << 30 | generation << 24) for kind in range(4) for generation in (1, 2)]
        with Listener(self.client, 25), contextlib.ExitStack() as stack:
            sockets = [stack.enter_context(self._knock(option, value)) for option, value in forgeries]
            before = {sock.getsockname()[1] for sock in sockets}
            self.records(len(before), destination__port=25, event__action="drop")
            for sock in sockets:
                sock.settimeout(0.01)
                with self.assertRaises(OSError):
                    sock.send(b"through")

    def _knock(self, option, value):
        """A connection that is tried and not waited for."""
        sock = self.server.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, option, value.to_bytes(4, "little"))
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            sock.connect(endpoint(4, STRANGER[4], 25))
        return sock


class Between(FwdTest):
    policy = "default deny in\nreject in 9000/tcp\nallow in 80,8080/tcp\n"

    def test_who_overwrites_verdicts_opens_nothing_and_keeps_nothing_open(self):
        result = self.server.run(["nft", "-f", "-"], input=_BETWEEN)
        self.assertEqual(result.returncode, 0, result.stderr)
        with Listener(self.server, 80), Listener(self.server, 8080), Listener(self.server, 9000), contextlib.ExitStack() as stack:
            opened = [stack.enter_context(connect(self.client, 4, SERVER[4], port)) for port in (80, 8080)]
            for sock in opened:
                self.assertTrue(exchange(sock))
            with self.assertRaises(OSError):
                connect(self.client, 4, SERVER[4], 9000, timeout=0.5)
            self.fwd.apply("default deny in\ndeny in on eth0 8080/tcp\nallow in 80,8080/tcp\n")
            # By which interface the other one comes in only its next packet tells.
            self.assertTrue(exchange(opened[0]))
            self.assertFalse(exchange(opened[1]))


class Others(FwdTest):
    policy = "default deny in\nallow in 80/tcp\n"

    def test_a_class_of_traffic_control_is_kept_on_connections_that_are_let_through(self):
        result = self.server.run(["nft", "-f", "-"], input=_OTHERS)
        self.assertEqual(result.returncode, 0, result.stderr)
        with Listener(self.client, 9000), connect(self.server, 4, STRANGER[4], 9000) as sock:
            self.assertTrue(exchange(sock))
            before = self.counter("class_kept")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, _CLASS)
            self.assertTrue(exchange(sock))
            self.assertGreater(self.counter("class_kept"), before)

    def counter(self, name):
        listing = self.server.run(["nft", "list", "counter", "inet", "others", name]).stdout
        return int(listing.split("packets ")[1].split()[0])

    def test_bits_that_belong_to_others_are_kept(self):
        result = self.server.run(["nft", "-f", "-"], input=_OTHERS)
        self.assertEqual(result.returncode, 0, result.stderr)
        with Listener(self.server, 80), Listener(self.client, 9000), contextlib.ExitStack() as stack:
            for family in FAMILIES:
                sock = stack.enter_context(connect(self.client, family, SERVER[family], 80))
                self.assertTrue(exchange(sock))
                sock = stack.enter_context(self.server.socket(INET[family], socket.SOCK_STREAM))
                sock.settimeout(2)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 0x42)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, 5)
                sock.connect(endpoint(family, STRANGER[family], 9000))
                self.assertTrue(exchange(sock))
            # While they are open: what the kernel sends for a closed socket may have neither mark nor priority.
            counts = {name: self.counter(name) for name in ("kept_in", "all_out", "kept_out", "socket_kept")}
        self.assertGreaterEqual(counts["kept_in"], 6)
        self.assertGreaterEqual(counts["all_out"], 6)
        self.assertEqual(counts["kept_out"], counts["all_out"])
        self.assertEqual(counts["socket_kept"], counts["all_out"])

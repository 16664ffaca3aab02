"""Connections that conntrack expects, such as FTP's data: they inherit the mark of the one that announced them, and are
judged on their own all the same."""

from harness import SERVER, SHORT, STRANGER, FwdTest
from traffic import Listener, connect, exchange

_HELPER = """
table inet ftp_helper {
    ct helper ftp { type "ftp" protocol tcp; }
    chain prerouting { type filter hook prerouting priority -150; tcp dport 21 ct helper set "ftp"; }
}
"""


class Expected(FwdTest):
    policy = "default deny in\nallow in 21/tcp\nallow in 2000/tcp\n"

    def setUp(self):
        super().setUp()
        file = self.directory / "helper.nft"
        file.write_text(_HELPER, encoding="utf-8")
        loaded = self.server.run(["nft", "-f", str(file)])
        if loaded.returncode != 0:
            self.skipTest(f"this kernel has no FTP helper: {loaded.stderr}")

    def announce(self, listener, control, port):
        """The server's words by which conntrack expects a connection to that port."""
        self.assertTrue(exchange(control))
        listener.send(f"227 Entering Passive Mode ({SERVER[4].replace('.', ',')},{port >> 8},{port & 255}).\r\n".encode())
        self.assertIn(b"227", control.recv(1000))
        self.assertIn(f"dport={port} ", self.server.run(["cat", "/proc/net/nf_conntrack_expect"]).stdout)

    def test_expected_connections_are_judged_on_their_own(self):
        with Listener(self.server, 21) as ftp, Listener(self.server, 2000), Listener(self.server, 2001) as forbidden, \
                connect(self.client, 4, SERVER[4], 21) as control:
            self.announce(ftp, control, 2001)
            with self.assertRaises(TimeoutError):
                connect(self.client, 4, SERVER[4], 2001)
            self.assertEqual(forbidden.accepted(), 0)
            denied = self.records(1, event__action="drop", destination__port=2001)[0]
            self.assert_fields(denied, source__ip=STRANGER[4], rule__id="default")

            self.announce(ftp, control, 2000)
            with connect(self.client, 4, SERVER[4], 2000) as data:
                self.assertTrue(exchange(data))
                self.records(1, event__action="accept", destination__port=2000)
                before = self.fwd.queued_packets()
                self.assertTrue(exchange(data))
                self.assertEqual(self.fwd.queued_packets(), before)
                self.assertIn("1 live connection cut", self.ctl(0, "remove", "allow in 2000/tcp"))
                data.settimeout(SHORT)
                self.assertFalse(exchange(data))
            self.announce(ftp, control, 2000)  # the control connection goes on

    def test_the_copy_judges_expected_connections_too(self):
        with Listener(self.server, 21) as ftp, Listener(self.server, 2000), Listener(self.server, 2001) as forbidden, \
                connect(self.client, 4, SERVER[4], 21) as control:
            self.fwd.kill()
            self.announce(ftp, control, 2001)
            with self.assertRaises(TimeoutError):
                connect(self.client, 4, SERVER[4], 2001)
            self.assertEqual(forbidden.accepted(), 0)
            self.announce(ftp, control, 2000)
            with connect(self.client, 4, SERVER[4], 2000) as data:
                self.assertTrue(exchange(data))

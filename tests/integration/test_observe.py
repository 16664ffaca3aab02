"""`fwctl mode observe`: nothing is refused, and the audit log tells what would have been."""

import socket

from harness import FAMILIES, SERVER, STRANGER, FwdTest
from packets import Flow, RawReceiver, send_raw
from traffic import Listener, UdpServer, connect, endpoint, exchange, is_open, open_socket, outcome, receive

POLICY = """default deny in
allow in 80/tcp
reject in 81/tcp
limit in 2222/tcp rate 2/1m
reject out proto tcp to any port 25
"""


class Observe(FwdTest):
    policy = POLICY

    def setUp(self):
        super().setUp()
        for port in (80, 81, 2222, 8080):
            self.stack.enter_context(Listener(self.server, port))
        self.stack.enter_context(Listener(self.client, 25))
        self.ctl(0, "mode", "observe")

    def counter(self, name):
        listing = self.server.run(["nft", "list", "counter", "inet", "fwd_policy", name]).stdout
        return int(listing.split("packets ")[1].split()[0])

    def assert_everything_is_open(self):
        for family in FAMILIES:
            for port in (80, 81, 8080):
                self.assertTrue(is_open(self.client, family, SERVER[family], port), f"IPv{family} port {port}")
            self.assertEqual([is_open(self.client, family, SERVER[family], 2222) for _ in range(4)], [True] * 4)
            self.assertTrue(is_open(self.server, family, STRANGER[family], 25))
            with UdpServer(self.server, family, 54), open_socket(self.client, family, socket.SOCK_DGRAM) as sock:
                sock.connect(endpoint(family, SERVER[family], 54))
                self.assertTrue(exchange(sock))

    def test_everything_passes_with_a_record_of_what_would_be_refused(self):
        self.assert_everything_is_open()
        for port, would, rule in ((8080, "drop", "default"), (81, "reject", None), (25, "reject", None)):
            for record in self.records(2, destination__port=port):
                self.assert_fields(record, event__reason="observe", event__action="accept",
                                   event__type=["connection", "allowed"], fwd__would=would)
                if rule:
                    self.assert_fields(record, rule__id=rule)
        self.assertRegex(self.fwd.audit(destination__port=8080)[0]["message"],
                         r"^would drop tcp 10\.0\.0\.7:\d+ -> 10\.0\.0\.11:8080 rule default \(observe\)$")
        for record in self.records(2, destination__port=80):
            self.assert_fields(record, event__reason="rule", fwd__would=None)
        self.records(4, destination__port=2222, event__reason="rule")
        self.records(4, destination__port=2222, event__reason="observe", fwd__would="limit")
        self.assertGreater(self.fwd.json("stats")["reasons"]["observe"], 0)

    def test_the_kernel_alone_lets_everything_pass_and_counts_it_as_denied(self):
        self.fwd.kill()
        self.assert_everything_is_open()
        self.assertGreaterEqual(self.counter("copy_denied"), 2 * 4)
        self.assertEqual(self.counter("revoked"), 0)

    def test_what_belongs_to_no_connection_passes_too(self):
        payload = Flow(4, STRANGER[4], SERVER[4]).tcp(80, flags=0x11)  # FIN and ACK out of nowhere
        for daemon in (True, False):
            with self.subTest(daemon=daemon), RawReceiver(self.server, 4, socket.IPPROTO_TCP) as receiver:
                send_raw(self.client, 4, STRANGER[4], SERVER[4], socket.IPPROTO_TCP, payload)
                self.assertTrue(receiver.receives(payload, 2))
            self.fwd.kill()

    def test_enforcing_again_cuts_what_was_let_through(self):
        with connect(self.client, 4, SERVER[4], 80) as kept, connect(self.client, 4, SERVER[4], 8080) as cut:
            self.assertTrue(exchange(kept))
            self.assertTrue(exchange(cut))
            self.ctl(0, "mode", "enforce")
            self.assertTrue(exchange(kept))
            self.assertFalse(exchange(cut))
        self.assertEqual(outcome(self.client, 4, SERVER[4], 8080)[0], "silence")
        self.assertEqual(outcome(self.client, 4, SERVER[4], 81)[0], "refused")

    def test_a_live_connection_outlives_an_edit_that_would_cut_it(self):
        with connect(self.client, 4, SERVER[4], 80) as live:
            self.assertTrue(exchange(live))
            self.ctl(0, "insert", "1", "deny", "in", "80/tcp")
            self.assertTrue(exchange(live))
            for record in self.records(1, destination__port=80, event__reason="observe"):
                self.assert_fields(record, fwd__would="drop")
            self.fwd.kill()
            self.assertTrue(exchange(live))

    def test_what_was_revoked_comes_alive_again(self):
        self.ctl(0, "mode", "enforce")
        with connect(self.client, 4, SERVER[4], 80) as live:
            self.ctl(0, "insert", "1", "deny", "in", "80/tcp")
            self.assertFalse(exchange(live))
            self.ctl(0, "mode", "observe")
            self.assertTrue(receive(live, timeout=5), "what was sent in vain is sent again")

    def test_it_outlives_a_restart_and_is_shown(self):
        self.assertEqual(self.ctl(0, "mode"), "observe\n")
        self.assertIn("OBSERVING ONLY", self.ctl(0, "status"))
        self.fwd.stop()
        self.fwd.start()
        self.assertEqual(self.fwd.status()["mode"], "observe")
        self.assertTrue(is_open(self.client, 4, SERVER[4], 8080))
        self.assertIn("Nothing to do", self.ctl(0, "mode", "observe"))
        self.ctl(0, "mode", "enforce")
        self.assertNotIn("OBSERVING", self.ctl(0, "status"))
        self.fwd.stop()
        self.fwd.start()
        self.assertFalse(is_open(self.client, 4, SERVER[4], 8080))

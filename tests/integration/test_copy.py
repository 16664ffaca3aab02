"""The kernel's copy of the policy: with the daemon killed it decides as the daemon did."""

import socket

from harness import FAMILIES, PEER, SERVER, STRANGER, FwdTest
from traffic import Listener, UdpServer, connect, endpoint, exchange, is_open, open_socket, outcome

POLICY = """
set peers = { 10.0.0.12, 2001:db8:1::12, 192.0.2.0/24 }
default deny in
default allow out
deny in proto tcp from @peers to any port 443
allow in from @peers to any port 80-443
reject in 81/tcp
allow in proto tcp from any to any port 8000-8010
deny in on eth0 to any port 9001
allow in 9001/tcp
allow in on other0 to any port 9002
allow in 53/udp
limit in 2222/tcp rate 2/1m
reject out proto tcp to any port 25
deny out proto tcp to any port 26
"""


class Copy(FwdTest):
    policy = POLICY

    # (port, from a peer?, what becomes of it)
    EXPECTED = [(80, True, "open"), (80, False, "silence"), (200, True, "open"), (443, True, "silence"),
                (444, True, "silence"), (81, False, "refused"), (8000, False, "open"), (8001, False, "open"), (8010, False, "open"),
                (8011, False, "silence"), (7999, False, "silence"), (9001, False, "silence"), (9002, False, "silence")]

    def results(self):
        return {(family, port, peer): outcome(self.client, family, SERVER[family], port,
                                              (PEER if peer else STRANGER)[family])[0]
                for family in FAMILIES for port, peer, _ in self.EXPECTED}

    def counter(self, name):
        listing = self.server.run(["nft", "list", "counter", "inet", "fwd_policy", name]).stdout
        return int(listing.split("packets ")[1].split()[0])

    def setUp(self):
        super().setUp()
        for port in sorted({port for port, _, _ in self.EXPECTED} | {2222}):
            self.stack.enter_context(Listener(self.server, port))

    def test_it_decides_as_the_daemon_did(self):
        by_daemon = self.results()
        self.assertEqual(self.counter("copy_allowed") + self.counter("copy_denied"), 0)
        self.fwd.kill()
        by_copy = self.results()
        expected = {(family, port, peer): result for family in FAMILIES for port, peer, result in self.EXPECTED}
        self.assertEqual(by_daemon, expected)
        self.assertEqual(by_copy, expected)
        self.assertGreaterEqual(self.counter("copy_allowed"), 2 * 4)
        self.assertGreater(self.counter("default_input"), 0)

    def test_udp_is_decided_too(self):
        self.fwd.kill()
        for family in FAMILIES:
            for port, answered in ((53, True), (54, False)):
                with UdpServer(self.server, family, port), open_socket(self.client, family, socket.SOCK_DGRAM) as sock:
                    sock.connect(endpoint(family, SERVER[family], port))
                    self.assertEqual(exchange(sock), answered, f"IPv{family} port {port}")

    def test_a_limit_counts(self):
        self.fwd.kill()
        for family in FAMILIES:
            tries = [is_open(self.client, family, SERVER[family], 2222) for _ in range(4)]
            self.assertEqual(tries, [True, True, False, False])

    def test_what_goes_out_is_decided(self):
        with Listener(self.client, 24), Listener(self.client, 25), Listener(self.client, 26):
            self.fwd.kill()
            for family in FAMILIES:
                results = [outcome(self.server, family, STRANGER[family], port)[0] for port in (24, 25, 26)]
                self.assertEqual(results, ["open", "refused", "silence"])

    def test_connections_go_on_and_what_an_edit_denied_does_not(self):
        with connect(self.client, 4, SERVER[4], 8000) as kept, connect(self.client, 4, SERVER[4], 8001) as lost:
            self.assertTrue(exchange(kept))
            self.ctl(0, "insert", "1", "deny", "in", "8001/tcp")
            self.fwd.kill()
            self.assertTrue(exchange(kept))
            self.assertFalse(exchange(lost))

    def test_an_edit_changes_the_copy(self):
        self.ctl(0, "allow", "in", "7999/tcp")
        self.fwd.kill()
        for family in FAMILIES:
            self.assertTrue(is_open(self.client, family, SERVER[family], 7999))
            self.assertFalse(is_open(self.client, family, SERVER[family], 8011))


class Tables(FwdTest):
    """So many rules that the copy finds them by hash tables."""

    policy = "default deny in\n" + "".join(
        f"allow in proto tcp from 10.{i}.0.0/16 to any port {9100 + i}\n"
        f"allow in proto tcp from 10.0.0.{i} to any port 9000\n"
        f"allow in proto tcp from 2001:db8:{i:x}::/48 to any port {9100 + i}\n"
        f"allow in proto tcp from 2001:db8:1::{i:x} to any port 9000\n" for i in range(40))

    def test_tables_decide_by_prefix_and_port(self):
        self.assertIn("map in4/", self.fwd.table())
        self.assertIn("map in6/", self.fwd.table())
        self.fwd.kill()
        with Listener(self.server, 9000), Listener(self.server, 9100), Listener(self.server, 9101):
            self.assertTrue(is_open(self.client, 4, SERVER[4], 9000, STRANGER[4]))
            self.assertTrue(is_open(self.client, 6, SERVER[6], 9000, STRANGER[6]))
            self.assertTrue(is_open(self.client, 4, SERVER[4], 9100))
            self.assertTrue(is_open(self.client, 6, SERVER[6], 9101))
            self.assertFalse(is_open(self.client, 4, SERVER[4], 9101))
            self.assertFalse(is_open(self.client, 6, SERVER[6], 9100))


class ManyRules(FwdTest):
    """So many that simple rules that come later are looked up ahead of them."""

    policy = "default deny in\n" + "".join(
        f"allow in proto tcp from 10.{i // 250}.{i % 250}.0/24 to any port 9000\n" for i in range(1000))

    def front(self, name):
        return self.server.run(["nft", "list", "map", "inet", "fwd_policy", f"labels/{name}"]).stdout

    def test_rules_that_get_other_labels_are_written_as_a_difference(self):
        for number in range(1, 20):
            self.ctl(0, "insert", "500", "deny", "in", "from", f"192.0.2.{number}")
        self.assertIn("192.0.2.19 : ", self.front("in4/32.0"))
        self.assertNotIn("writing the whole table", self.fwd.process.output())

    def test_a_rule_that_comes_decides_and_one_that_goes_does_not(self):
        self.ctl(0, "allow", "in", "9001/tcp")
        self.ctl(0, "insert", "1", "deny", "in", "from", STRANGER[4])
        self.ctl(0, "insert", "1", "allow", "in", "proto", "tcp", "from", STRANGER[6], "to", "any", "port", "9002")
        self.ctl(0, "insert", "1", "deny", "in", "from", PEER[6])
        self.ctl(0, "delete", "1")
        self.assertIn(f"elements = {{ {STRANGER[4]} : ", self.front("in4/32.0"))
        self.assertIn("elements = { tcp . 9001 : ", self.front("in/0.0pd"))
        self.assertNotIn("elements", self.front("in6/128.0"))
        expected = {(4, 9000, True): True, (4, 9001, True): True, (4, 9000, False): False, (4, 9001, False): False,
                    (6, 9001, True): True, (6, 9001, False): True, (6, 9002, True): False, (6, 9002, False): True}
        with Listener(self.server, 9000), Listener(self.server, 9001), Listener(self.server, 9002):
            for daemon in ("runs", "is dead"):
                found = {(family, port, peer): is_open(self.client, family, SERVER[family], port, (PEER if peer else STRANGER)[family])
                         for family, port, peer in expected}
                self.assertEqual(found, expected, f"the daemon {daemon}")
                if daemon == "runs":
                    self.fwd.kill()

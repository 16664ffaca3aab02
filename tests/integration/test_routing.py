"""Outgoing connections keep their route and their mark: wg-quick's rule sends everything without its mark into a
tunnel, and a firewall that changed the mark would send the tunnel's own packets into it."""

import contextlib
import socket

from harness import FAMILIES, FwdTest
from lab.netns import address, connect
from traffic import INET, Listener, endpoint, exchange

MARK = 51820
TARGET = {4: "203.0.113.1", 6: "2001:db8:f::1"}


class Routing(FwdTest):
    policy = "default deny in\ndefault allow out\n"

    def setUp(self):
        super().setUp()
        self.tunnel = self.host("tunnel")
        connect(self.tunnel, "eth0", self.server, "wg0")
        address(self.tunnel, "eth0", "192.0.2.1/24", "2001:db8:9::1/64")
        address(self.server, "wg0", "192.0.2.2/24", "2001:db8:9::2/64")
        for namespace in (self.client, self.tunnel):
            address(namespace, "lo", f"{TARGET[4]}/32", f"{TARGET[6]}/128")
        self.server.ip(
            "route add default via 10.0.0.7", "-6 route add default via 2001:db8:1::7",
            f"route add default via 192.0.2.1 table {MARK}", f"-6 route add default via 2001:db8:9::1 table {MARK}",
            f"rule add not fwmark {MARK} table {MARK}", f"-6 rule add not fwmark {MARK} table {MARK}",
            "rule add table main suppress_prefixlength 0", "-6 rule add table main suppress_prefixlength 0")
        self.server.sysctl("net/ipv4/conf/all/src_valid_mark", 1)
        self.listeners = contextlib.ExitStack()
        self.addCleanup(self.listeners.close)
        self.listeners.enter_context(Listener(self.client, 7, b"by eth0"))
        self.listeners.enter_context(Listener(self.tunnel, 7, b"by wg0"))

    def route_taken(self, family, mark):
        """Which way a connection goes, and whether it still works after its first packets."""
        with self.server.socket(INET[family], socket.SOCK_STREAM) as sock:
            sock.settimeout(2)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, mark)
            sock.connect(endpoint(family, TARGET[family], 7))
            way = sock.recv(64)
            self.assertTrue(exchange(sock))
            return way

    def test_a_marked_connection_leaves_by_the_ordinary_way(self):
        for family in FAMILIES:
            self.assertEqual(self.route_taken(family, MARK), b"by eth0")

    def test_an_unmarked_connection_leaves_by_the_tunnel(self):
        for family in FAMILIES:
            self.assertEqual(self.route_taken(family, 0), b"by wg0")

"""Enabling the firewall on a host with live connections cuts none that the policy allows, and those it denies."""

import contextlib

from harness import FAMILIES, SERVER, STRANGER, FwdTest
from lab.process import wait_until
from traffic import Listener, connect, exchange, is_open, receive


class Enable(FwdTest):
    policy = "default deny in\ndefault allow out\nallow in 80/tcp\ndeny out proto tcp to any port 9001\n"

    def setUp(self):
        super().setUp()
        self.sockets = contextlib.ExitStack()
        self.addCleanup(self.sockets.close)
        self.ctl(0, "disable")

    def listen(self, namespace, port, greeting=b""):
        return self.sockets.enter_context(Listener(namespace, port, greeting))

    def connected(self, namespace, family, target, port):
        sock = self.sockets.enter_context(connect(namespace, family, target, port))
        self.assertTrue(exchange(sock))
        return sock

    def test_allowed_connections_go_on_in_both_directions(self):
        self.listen(self.server, 80)
        self.listen(self.client, 9000)
        live = [self.connected(self.client, family, SERVER[family], 80) for family in FAMILIES]
        live += [self.connected(self.server, family, STRANGER[family], 9000) for family in FAMILIES]
        self.ctl(0, "enable")
        for sock in live:
            self.assertTrue(exchange(sock), sock)

    def test_a_peer_that_speaks_first_is_not_taken_for_a_stranger(self):
        remote = self.listen(self.client, 9000)
        for family in FAMILIES:
            with self.subTest(family=family):
                self.ctl(0, "disable")
                sock = self.connected(self.server, family, STRANGER[family], 9000)
                self.ctl(0, "enable")
                remote.send(b"an event\n")  # looks like a new incoming connection to conntrack
                self.assertEqual(receive(sock, timeout=3), b"an event\n")
                self.assertTrue(exchange(sock))

    def test_a_client_that_only_listens_keeps_its_connection(self):
        """The server speaks first on an incoming connection, which looks like an outgoing one."""
        served = self.listen(self.server, 80)
        for family in FAMILIES:
            with self.subTest(family=family):
                self.ctl(0, "disable")
                sock = self.connected(self.client, family, SERVER[family], 80)
                self.ctl(0, "enable")
                served.send(b"news\n")
                self.assertEqual(receive(sock, timeout=3), b"news\n")
                self.assertTrue(exchange(sock))

    def test_forbidden_connections_stop(self):
        self.listen(self.server, 8080)
        self.listen(self.client, 9001)
        live = [self.connected(self.client, family, SERVER[family], 8080) for family in FAMILIES]
        live += [self.connected(self.server, family, STRANGER[family], 9001) for family in FAMILIES]
        self.ctl(0, "enable")
        for sock in live:
            self.assertFalse(exchange(sock), sock)

    def test_a_forbidden_connection_stops_also_when_the_server_speaks_first(self):
        served = self.listen(self.server, 8080)
        for family in FAMILIES:
            with self.subTest(family=family):
                self.ctl(0, "disable")
                sock = self.connected(self.client, family, SERVER[family], 8080)
                self.ctl(0, "enable")
                served.send(b"secret\n")
                self.assertEqual(receive(sock), b"")

    def test_disabled_means_open_and_enabled_means_filtered(self):
        self.listen(self.server, 8080)
        self.assertTrue(is_open(self.client, 4, SERVER[4], 8080))
        self.assertEqual(self.fwd.table(), "")
        self.assertFalse(self.fwd.status()["enabled"])
        self.ctl(0, "enable")
        self.assertFalse(is_open(self.client, 4, SERVER[4], 8080))
        self.assertTrue(self.fwd.status()["enabled"])

    def test_disabled_survives_a_restart(self):
        self.fwd.stop()
        self.fwd.start()
        self.assertFalse(self.fwd.status()["enabled"])
        self.assertEqual(self.fwd.table(), "")


class PolicyChange(FwdTest):
    """A commit is for live connections too."""

    policy = "default deny in\nallow in 80/tcp\nallow in 8080/tcp\n"

    def test_what_the_new_policy_denies_stops_and_the_rest_goes_on(self):
        with Listener(self.server, 80), Listener(self.server, 8080), contextlib.ExitStack() as sockets:
            live = {port: [sockets.enter_context(connect(self.client, family, SERVER[family], port))
                           for family in FAMILIES] for port in (80, 8080)}
            for sock in live[80] + live[8080]:
                self.assertTrue(exchange(sock))
            self.ctl(0, "remove", "allow in 8080/tcp")
            for sock in live[80]:
                self.assertTrue(exchange(sock))
            for sock in live[8080]:
                self.assertFalse(exchange(sock))

    def test_a_connection_that_the_server_alone_uses_stops_too(self):
        with Listener(self.server, 8080) as served, connect(self.client, 4, SERVER[4], 8080) as sock:
            self.assertTrue(exchange(sock))
            self.ctl(0, "remove", "allow in 8080/tcp")
            wait_until(lambda: not self._hears(served, sock), 3, "the server's words no longer arrive")

    def _hears(self, served, sock):
        served.send(b"more\n")
        return receive(sock, timeout=0.3) != b""

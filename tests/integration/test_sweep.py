"""A change reaches live connections at once, also those that send nothing or only replies."""

import socket

from harness import SERVER, SHORT, STRANGER, FwdTest
from traffic import Listener, connect, endpoint, exchange, open_socket


class Sweep(FwdTest):
    policy = "default deny in\nallow in 22/tcp\nallow in 53/udp\nallow in 80/tcp\n"

    def test_a_flow_that_only_replies_is_cut(self):
        with open_socket(self.server, 4, socket.SOCK_DGRAM) as server, \
                open_socket(self.client, 4, socket.SOCK_DGRAM) as client:
            server.bind(endpoint(4, SERVER[4], 53))
            client.bind(endpoint(4, STRANGER[4], 5353))
            client.settimeout(SHORT)
            client.sendto(b"?", endpoint(4, SERVER[4], 53))
            server.settimeout(SHORT)
            self.assertEqual(server.recv(10), b"?")
            server.sendto(b"one", endpoint(4, STRANGER[4], 5353))
            self.assertEqual(client.recv(10), b"one")
            self.assertIn("1 live connection cut", self.ctl(0, "remove", "allow in 53/udp"))
            with self.assertRaises(PermissionError):  # what output drops, the sender is told
                server.sendto(b"two", endpoint(4, STRANGER[4], 5353))
            with self.assertRaises(TimeoutError):
                client.recv(10)
        record = self.records(1, event__reason="revoked")[0]
        self.assert_fields(record, event__action="drop", source__ip=STRANGER[4], destination__port=53,
                           rule__id="default", fwd__decided_by="daemon")

    def test_an_idle_connection_is_cut_and_an_allowed_one_needs_no_new_verdict(self):
        with Listener(self.server, 80), Listener(self.server, 22), \
                connect(self.client, 4, SERVER[4], 80) as denied, connect(self.client, 6, SERVER[6], 22) as allowed:
            self.assertTrue(exchange(denied) and exchange(allowed))
            before = self.fwd.queued_packets()
            self.assertIn("1 live connection cut", self.ctl(0, "remove", "allow in 80/tcp"))
            self.assertTrue(exchange(allowed))
            denied.settimeout(SHORT)
            self.assertFalse(exchange(denied))
            self.assertEqual(self.fwd.queued_packets(), before)

    def test_a_connection_outlives_all_generations(self):
        with Listener(self.server, 22), connect(self.client, 4, SERVER[4], 22) as sock:
            self.assertTrue(exchange(sock))
            before = self.fwd.queued_packets()
            for _ in range(35):  # two generations each, of the 63 that there are
                self.ctl(0, "add", "allow in 8080/tcp")
                self.ctl(0, "remove", "allow in 8080/tcp")
            self.assertTrue(exchange(sock))
            self.assertEqual(self.fwd.queued_packets(), before)

    def test_a_rule_of_an_interface_holds_for_live_connections(self):
        self.ctl(0, "add", "allow in on eth0 proto tcp to any port 81")
        with Listener(self.server, 81), connect(self.client, 6, SERVER[6], 81) as sock:
            self.assertTrue(exchange(sock))
            before = self.fwd.queued_packets()
            self.assertNotIn("cut", self.ctl(0, "add", "allow in 8080/tcp"))
            self.assertTrue(exchange(sock))
            self.assertLessEqual(self.fwd.queued_packets(), before + 2)  # judged once more, with its interface
            self.ctl(0, "add", "allow in on eth1 proto tcp to any port 81")
            self.ctl(0, "remove", "allow in on eth0 proto tcp to any port 81")
            sock.settimeout(SHORT)
            self.assertFalse(exchange(sock))

    def test_a_diff_names_what_it_would_cut_and_cuts_nothing(self):
        new = self.directory / "new.fw"
        new.write_text("default deny in\nallow in 22/tcp\nallow in 53/udp\n", encoding="utf-8")
        with Listener(self.server, 80), connect(self.client, 4, SERVER[4], 80) as sock:
            self.assertTrue(exchange(sock))
            port = sock.getsockname()[1]
            text = self.ctl(0, "diff", str(new))
            self.assertIn("- allow in proto tcp from any to any port 80\n", text)
            self.assertIn("1 live connection would be cut:", text)
            self.assertIn(f"{STRANGER[4]}:{port}", text)
            self.assertNotIn("your own session", text)
            session = f"SSH_CONNECTION={STRANGER[4]} {port} {SERVER[4]} 80"
            as_sudo_does = 'env -u SSH_CONNECTION "$0" "$@"; exit $?'
            result = self.server.run(["env", session, "sh", "-c", as_sudo_does, *self.fwd.ctl_argv("diff", str(new))])
            self.assertIn("your own session", result.stdout + result.stderr)
            self.assertTrue(exchange(sock))
            diff = self.fwd.json("diff", str(new))
            self.assertEqual(diff["cut"], 1)
            self.assertEqual(diff["connections"][0]["source"], f"{STRANGER[4]}:{port}")

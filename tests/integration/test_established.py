"""Only the first packets of a connection reach the daemon."""

import socket

from harness import FAMILIES, SERVER, STRANGER, FwdTest
from traffic import Listener, UdpServer, connect, endpoint, exchange, open_socket


class Established(FwdTest):
    policy = "default deny in\nallow in 80/tcp\nallow in 53/udp\n"

    def test_a_bulk_transfer_sends_no_packet_to_the_queue(self):
        data = b"x" * (8 << 20)
        with Listener(self.server, 80), Listener(self.client, 81):
            for namespace, target, port in [(self.client, SERVER, 80), (self.server, STRANGER, 81)]:
                for family in FAMILIES:
                    with self.subTest(port=port, family=family), \
                            connect(namespace, family, target[family], port) as sock:
                        self.assertTrue(exchange(sock))
                        before = self.fwd.queued_packets()
                        self._transfer(sock, data)
                        self.assertEqual(self.fwd.queued_packets(), before)
        self.assert_queue_rests()

    def test_a_connection_costs_few_packets(self):
        with Listener(self.server, 80):
            before = self.fwd.queued_packets()
            for _ in range(10):
                with connect(self.client, 4, SERVER[4], 80) as sock:
                    self.assertTrue(exchange(sock))
        self.assertEqual(self.fwd.queued_packets() - before, 10)

    def test_an_answered_udp_flow_goes_on_without_the_queue(self):
        for family in FAMILIES:
            with UdpServer(self.server, family, 53), open_socket(self.client, family, socket.SOCK_DGRAM) as sock:
                sock.connect(endpoint(family, SERVER[family], 53))
                self.assertTrue(exchange(sock))
                before = self.fwd.queued_packets()
                for _ in range(100):
                    self.assertTrue(exchange(sock))
                self.assertEqual(self.fwd.queued_packets(), before)

    def _transfer(self, sock, data):
        """To the echo and back, piece by piece so that neither side's buffer fills up."""
        for start in range(0, len(data), 1 << 16):
            self.assertTrue(exchange(sock, data[start:start + (1 << 16)]))

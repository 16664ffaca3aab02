"""Packets built to get past a firewall: fragments, extension headers, headers that are cut short."""

import contextlib
import socket
import struct

import packets
from harness import FAMILIES, SERVER, SHORT, STRANGER, FwdTest
from lab.process import wait_until
from packets import Flow, RawReceiver, send_raw
from traffic import UdpServer, endpoint, exchange, open_socket

_HOP_BY_HOP, _ROUTING, _FRAGMENT, _DESTINATION = 0, 43, 44, 60
_UDP = 17


def ipv6(flow, next_header, payload):
    """A whole packet."""
    addresses = socket.inet_pton(socket.AF_INET6, flow.source) + socket.inet_pton(socket.AF_INET6, flow.target)
    return struct.pack("!IHBB", 6 << 28, len(payload), next_header, 64) + addresses + payload


def padding(next_header):
    """A hop-by-hop or destination options header that says nothing: PadN."""
    return bytes([next_header, 0, 1, 4, 0, 0, 0, 0])


class Evasion(FwdTest):
    policy = "default deny in\nallow in 53/udp\nallow in 80/tcp\n"

    def setUp(self):
        super().setUp()
        self.flow = Flow(6, STRANGER[6], SERVER[6])

    def test_a_datagram_in_fragments_is_judged_as_a_whole(self):
        data = bytes(range(256)) * 16
        for family in FAMILIES:
            with UdpServer(self.server, family, 53), UdpServer(self.server, family, 54):
                for port, wanted in ((53, True), (54, False)):
                    with self.subTest(family=family, port=port), \
                            open_socket(self.client, family, socket.SOCK_DGRAM) as sock:
                        sock.connect(endpoint(family, SERVER[family], port))
                        self.assertEqual(exchange(sock, data), wanted)
        self.assert_queue_rests()

    def send_ipv6(self, packet):
        with self.client.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
            sock.sendto(packet, endpoint(6, SERVER[6], 0))

    def heard(self, port, packet):
        """Whether a UDP program on the server hears the packet."""
        with open_socket(self.server, 6, socket.SOCK_DGRAM, SERVER[6], port) as sock:
            sock.settimeout(SHORT)
            self.send_ipv6(packet)
            with contextlib.suppress(TimeoutError):
                return bool(sock.recv(2048))
            return False

    def test_extension_headers_hide_no_port(self):
        for port, wanted in ((53, True), (54, False)):
            udp = self.flow.udp(port)
            for name, packet in {
                    "none": ipv6(self.flow, _UDP, udp),
                    "destination options": ipv6(self.flow, _DESTINATION, padding(_UDP) + udp),
                    "hop-by-hop options": ipv6(self.flow, _HOP_BY_HOP, padding(_UDP) + udp),
                    "both": ipv6(self.flow, _HOP_BY_HOP, padding(_DESTINATION) + padding(_UDP) + udp),
                    "a fragment header on a whole packet":
                        ipv6(self.flow, _FRAGMENT, struct.pack("!BBHI", _UDP, 0, 0, 1) + udp)}.items():
                with self.subTest(name, port=port):
                    self.assertEqual(self.heard(port, packet), wanted)

    def test_many_extension_headers_are_dropped(self):
        chain = b"".join(padding(_DESTINATION) for _ in range(12)) + padding(_UDP) + self.flow.udp(53)
        self.assertFalse(self.heard(53, ipv6(self.flow, _DESTINATION, chain)))

    def test_a_routing_header_of_type_0_is_dropped(self):
        header = struct.pack("!BBBBI", _UDP, 2, 0, 0, 0) + socket.inet_pton(socket.AF_INET6, SERVER[6])
        self.assertFalse(self.heard(53, ipv6(self.flow, _ROUTING, header + self.flow.udp(53))))

    def test_later_fragments_alone_are_dropped(self):
        fragment = struct.pack("!BBHI", _UDP, 0, 8 << 3, 7) + b"x" * 64
        with RawReceiver(self.server, 6, _UDP) as receiver:
            self.send_ipv6(ipv6(self.flow, _FRAGMENT, fragment))
            self.assertFalse(receiver.receives(b"x" * 64, SHORT))

    def test_headers_that_are_cut_short_are_dropped(self):
        for family in FAMILIES:
            flow = Flow(family, STRANGER[family], SERVER[family])
            for protocol, whole in ((6, flow.tcp(80)), (_UDP, flow.udp(53)), (132, flow.sctp(80))):
                for length in (0, 3, 7):
                    with self.subTest(family=family, protocol=protocol, length=length), \
                            RawReceiver(self.server, family, protocol) as receiver:
                        send_raw(self.client, family, STRANGER[family], SERVER[family], protocol, whole[:length])
                        self.assertFalse(receiver.receives(whole[:length], 0.2))
        self.assert_queue_rests()

    def test_tcp_flags_that_make_no_sense_are_dropped_and_recorded_as_invalid(self):
        payload = self.flow.tcp(80, flags=0x06)  # SYN and RST
        with RawReceiver(self.server, 6, 6) as receiver:
            send_raw(self.client, 6, STRANGER[6], SERVER[6], 6, payload)
            self.assertFalse(receiver.receives(payload, SHORT))
        self.records(1, destination__port=80, event__action="drop", event__reason="invalid")

    def test_an_unknown_protocol_is_recorded_with_its_number(self):
        send_raw(self.client, 4, STRANGER[4], SERVER[4], 253, packets.OTHER)
        wait_until(lambda: self.fwd.audit(network__iana_number="253"), 3, "the record")
        self.assert_fields(self.fwd.audit(network__iana_number="253")[0], network__transport="253",
                           event__action="drop", source__port=None)

"""First packets of every protocol the policy language knows, for raw sockets: the kernel adds the IP header. A raw
socket on the receiving host gets what its input hook let through, whether or not the kernel speaks the protocol."""

import contextlib
import socket
import struct
import time

from traffic import INET, endpoint

_SOURCE_PORT = 40000
_DCCP = 33  # no constant in the socket module


def _internet_checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def _pseudo_header(family, source, target, protocol, length):
    addresses = socket.inet_pton(INET[family], source) + socket.inet_pton(INET[family], target)
    return addresses + (struct.pack("!BBH", 0, protocol, length) if family == 4 else
                        struct.pack("!IHBB", length, 0, 0, protocol))


class Flow:
    """From one address to another; each method is the payload of one protocol's first packet."""

    def __init__(self, family, source, target):
        self.family, self.source, self.target = family, source, target

    def _summed(self, protocol, header, offset):
        """The header with its checksum, which covers the pseudo header too, at `offset`."""
        pseudo = _pseudo_header(self.family, self.source, self.target, protocol, len(header))
        checksum = _internet_checksum(pseudo + header)
        return header[:offset] + struct.pack("!H", checksum) + header[offset + 2:]

    def tcp(self, port, flags=0x02):
        header = struct.pack("!HHIIBBHHH", _SOURCE_PORT, port, 1, 0, 5 << 4, flags, 1024, 0, 0)
        return self._summed(socket.IPPROTO_TCP, header, 16)

    def udp(self, port):
        return self._summed(socket.IPPROTO_UDP, struct.pack("!HHHH", _SOURCE_PORT, port, 12, 0) + b"data", 6)

    def udplite(self, port):
        """Checksum coverage 0: the whole packet."""
        return self._summed(socket.IPPROTO_UDPLITE, struct.pack("!HHHH", _SOURCE_PORT, port, 0, 0) + b"data", 6)

    def dccp(self, port):
        """A Request (RFC 4340, 5.1) with a 48-bit sequence number."""
        header = struct.pack("!HHBBHBBHIII", _SOURCE_PORT, port, 5, 0, 0, 1, 0, 0, 1, 42, 0)
        return self._summed(_DCCP, header, 6)

    def sctp(self, port):
        """An INIT chunk (RFC 9260, 3.3.2)."""
        chunk = struct.pack("!BBHIIHHI", 1, 0, 20, 7, 65536, 1, 1, 1)
        ports = struct.pack("!HHI", _SOURCE_PORT, port, 0)
        return ports + struct.pack("<I", _crc32c(ports + b"\0" * 4 + chunk)) + chunk

    def icmp(self, kind):
        """ICMP or ICMPv6, as the family is."""
        header = struct.pack("!BBHHH", kind, 0, 0, 77, 1) + b"\0" * 16
        if self.family == 6:
            return self._summed(socket.IPPROTO_ICMPV6, header, 2)
        return header[:2] + struct.pack("!H", _internet_checksum(header)) + header[4:]


ESP = struct.pack("!II", 0x1234, 1) + b"e" * 16
AH = struct.pack("!BBHII", 253, 4, 0, 0x1234, 1) + b"a" * 12
GRE = struct.pack("!HH", 0, 0x88BE) + b"g" * 8
IGMP = struct.pack("!BBH4s", 0x16, 0, _internet_checksum(struct.pack("!BBH4s", 0x16, 0, 0, bytes(4))), bytes(4))
VRRP = struct.pack("!BBBBHH", 0x31, 1, 100, 0, 0, 0)
OTHER = b"unheard-of protocol"


class RawReceiver:
    """What arrives of one protocol on a host, behind its input hook."""

    def __init__(self, namespace, family, protocol):
        self._family = family
        self._socket = namespace.socket(INET[family], socket.SOCK_RAW, protocol)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def receives(self, payload, timeout):
        """Whether exactly this payload comes before the time is over."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            self._socket.settimeout(left)
            with contextlib.suppress(TimeoutError):
                packet = self._socket.recv(4096)
                start = (packet[0] & 0x0F) * 4 if self._family == 4 else 0
                if packet[start:] == payload:
                    return True
        return False


def send_raw(namespace, family, source, target, protocol, payload):
    with namespace.socket(INET[family], socket.SOCK_RAW, protocol) as sock:
        sock.bind(endpoint(family, source, 0))
        sock.sendto(payload, endpoint(family, target, 0))

"""Packets as the oracle tool writes them, as frames; and the record of which of them a host's input hook let through."""

import functools
import json
import socket
import struct
import time

from lab.process import wait_until

SERVER_MAC = "02:00:00:00:00:01"
_TCP, _UDP, _ICMP, _ICMPV6, _AH, _SCTP, _UDPLITE = 6, 17, 1, 58, 51, 132, 136
_BATCH = 250  # packets; the kernel's backlog holds 1000, a queue 4096

# Before and behind fwd's chains. Conntrack confirms nothing, so every packet begins a connection. The host itself is
# mute, so that fwd judges nothing but these packets.
_TABLE = """
table inet recorder {
    set reached4 { typeof ip id; size 65535; flags dynamic; }
    set reached6 { typeof ip6 flowlabel; size 65535; flags dynamic; }
    set arrived4 { typeof ip id; size 65535; flags dynamic; }
    set arrived6 { typeof ip6 flowlabel; size 65535; flags dynamic; }
    chain before {
        type filter hook input priority -100;
        meta nfproto ipv4 add @reached4 { ip id }
        meta nfproto ipv6 add @reached6 { ip6 flowlabel }
    }
    chain behind {
        type filter hook input priority 100;
        meta nfproto ipv4 add @arrived4 { ip id } drop
        meta nfproto ipv6 add @arrived6 { ip6 flowlabel } drop
    }
    chain mute {
        type filter hook output priority -100; policy drop;
    }
}
"""


class Packet:
    """A line of the oracle tool."""

    def __init__(self, line):
        words = line.split()
        self.line = line
        self.interface, self.source, self.target = words[0], words[2], words[4]
        self.protocol, self.source_port, self.port, self.kind, self.code, self.hop_limit = (
            int(words[index]) for index in (1, 3, 5, 6, 7, 8))
        self.family = 6 if ":" in self.source else 4

    def payload(self):
        """No checksum is right: the host is told not to look. UDP-Lite's may not be 0 (RFC 3828, 3.1)."""
        ports = struct.pack("!HH", self.source_port, self.port)
        if self.protocol == _TCP:
            return ports + struct.pack("!IIBBHHH", 1, 0, 5 << 4, 0x02, 1024, 0, 0)
        if self.protocol in (_UDP, _UDPLITE):
            return ports + struct.pack("!HH", 12, 1) + b"data"
        if self.protocol == _SCTP:  # INIT (RFC 9260, 3.3.2)
            return ports + struct.pack("!IIBBHIIHHI", 0, 0, 1, 0, 20, 7, 65536, 1, 1, 1)
        if self.protocol in (_ICMP, _ICMPV6):
            return struct.pack("!BBHHH", self.kind, self.code, 0, 77, 1) + bytes(20)
        if self.protocol == _AH:
            return struct.pack("!BBHII", 253, 4, 0, 0x1234, 1) + bytes(12)
        return bytes(24)

    def frame(self, marker):
        """From Ethernet on; `marker` is the IPv4 identification or the IPv6 flow label."""
        payload = self.payload()
        family = socket.AF_INET if self.family == 4 else socket.AF_INET6
        addresses = socket.inet_pton(family, self.source) + socket.inet_pton(family, self.target)
        if self.family == 6:
            ip = struct.pack("!IHBB", 6 << 28 | marker, len(payload), self.protocol, self.hop_limit) + addresses
        else:
            ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), marker, 0, self.hop_limit, self.protocol, 0)
            total = sum(struct.unpack("!10H", ip + addresses))
            total = (total & 0xFFFF) + (total >> 16)
            total = (total & 0xFFFF) + (total >> 16)
            ip = ip[:10] + struct.pack("!H", ~total & 0xFFFF) + addresses
        ethernet = bytes.fromhex(SERVER_MAC.replace(":", "")) + bytes.fromhex("020000000002")
        return ethernet + struct.pack("!H", 0x0800 if self.family == 4 else 0x86DD) + ip + payload


class Recorder:
    """What of some packets goes through the server's input hook, when the client sends them."""

    def __init__(self, client, server, interfaces):
        self._server = server
        self._sockets = {}
        result = server.run(["nft", "-f", "-"], input=_TABLE)
        if result.returncode != 0:
            raise RuntimeError(result.stderr)
        for interface in interfaces:
            self._sockets[interface] = client.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self._sockets[interface].bind((interface, 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for sock in self._sockets.values():
            sock.close()

    def _markers(self, name):
        """Of both families: no two packets share one."""
        found = set()
        for family in (4, 6):
            listing = self._server.run(["nft", "-j", "list", "set", "inet", "recorder", f"{name}{family}"]).stdout
            for entry in json.loads(listing)["nftables"]:
                found.update(entry.get("set", {}).get("elem", ()))
        return found

    def _flush(self):
        for name in ("reached4", "reached6", "arrived4", "arrived6"):
            self._server.run(["nft", "flush", "set", "inet", "recorder", name])

    def arrivals(self, packets, rest):
        """For each packet whether it came through. `rest()` is awaited after each batch: no queue may overflow."""
        self._flush()
        for start in range(0, len(packets), _BATCH):
            batch = packets[start:start + _BATCH]
            for marker, packet in enumerate(batch, start + 1):
                self._sockets[packet.interface].send(packet.frame(marker))
            wait_until(functools.partial(self._reached, start + len(batch)), 5, f"packet {start + len(batch)}")
            wait_until(rest, 5, "fwd has decided all")
        time.sleep(0.1)  # a packet leaves the queue a moment before it goes on
        arrived = self._markers("arrived")
        return [marker in arrived for marker in range(1, len(packets) + 1)]

    def _reached(self, last):
        return len(self._markers("reached")) >= last

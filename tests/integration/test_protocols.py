"""Every protocol of the policy language, IPv4 and IPv6, with a near miss beside each hit."""

import dataclasses
from collections.abc import Callable

import packets
from harness import FAMILIES, PEER, SERVER, SHORT, STRANGER, FwdTest
from lab.netns import address, connect
from packets import Flow, RawReceiver, send_raw


@dataclasses.dataclass
class Case:
    """`hit` passes from everywhere, `miss` from nowhere; without a miss, `hit` passes from the peer alone."""

    name: str
    protocol: int
    hit: Callable[[Flow], bytes]
    miss: Callable[[Flow], bytes] | None = None
    families: tuple = FAMILIES


CASES = [
    Case("tcp", 6, lambda flow: flow.tcp(80), lambda flow: flow.tcp(81)),
    Case("udp", 17, lambda flow: flow.udp(53), lambda flow: flow.udp(54)),
    Case("udplite", 136, lambda flow: flow.udplite(5000), lambda flow: flow.udplite(4999)),
    Case("sctp", 132, lambda flow: flow.sctp(3868), lambda flow: flow.sctp(3869)),
    Case("dccp", 33, lambda flow: flow.dccp(5001), lambda flow: flow.dccp(5002)),
    Case("icmp timestamp", 1, lambda flow: flow.icmp(13), lambda flow: flow.icmp(17), (4,)),
    Case("icmpv6 node information", 58, lambda flow: flow.icmp(139), None, (6,)),
    Case("esp", 50, lambda _: packets.ESP),
    Case("ah", 51, lambda _: packets.AH),
    Case("gre", 47, lambda _: packets.GRE),
    Case("igmp", 2, lambda _: packets.IGMP, None, (4,)),
    Case("vrrp", 112, lambda _: packets.VRRP),
    Case("by number", 253, lambda _: packets.OTHER),
]

POLICY = """
set peers = { 10.0.0.12, 2001:db8:1::12 }
default deny in
allow in 80/tcp
allow in 53/udp
allow in proto udplite to any port 5000
allow in proto sctp to any port 3868
allow in proto dccp to any port 5001
allow in proto icmp type 13
allow in proto icmpv6 type 139 from @peers
allow in proto esp,ah,gre,igmp,vrrp,253 from @peers
"""


class Protocols(FwdTest):
    policy = POLICY

    def setUp(self):
        super().setUp()
        # conntrack sums UDP-Lite up as if it were UDP (net/netfilter/nf_conntrack_proto_udp.c) and finds every such packet
        # invalid unless it doesn't look at checksums.
        self.server.sysctl("net/netfilter/nf_conntrack_checksum", 0)

    def arrives(self, family, source, case, payload, timeout):
        with RawReceiver(self.server, family, case.protocol) as receiver:
            send_raw(self.client, family, source, SERVER[family], case.protocol, payload)
            return receiver.receives(payload, timeout)

    def test_a_hit_passes_and_its_near_miss_does_not(self):
        for case in CASES:
            for family in case.families:
                source = STRANGER[family] if case.miss else PEER[family]
                flow = Flow(family, source, SERVER[family])
                with self.subTest(case.name, family=family):
                    self.assertTrue(self.arrives(family, source, case, case.hit(flow), 2))
                    miss = case.miss(flow) if case.miss else case.hit(flow)
                    self.assertFalse(self.arrives(family, STRANGER[family], case, miss, SHORT))
        self.assert_queue_rests()

    def test_a_protocol_that_no_rule_names_does_not_pass(self):
        case = Case("254", 254, lambda _: packets.OTHER)
        for family in FAMILIES:
            self.assertFalse(self.arrives(family, PEER[family], case, packets.OTHER, SHORT))

    def test_ping_is_answered(self):
        for family in FAMILIES:
            self.assertEqual(self.client.run(["ping", "-c", "1", "-W", "2", SERVER[family]]).returncode, 0)


class Ports(FwdTest):
    """Source ports, ranges and lists."""

    policy = """
    default deny in
    allow in proto udp from any port 4000:4002 to any port 500,700:710
    """

    def test_both_ends_of_a_range_belong_to_it(self):
        expected = [(40000, 500, False)]
        expected += [(4000, port, wanted) for port, wanted in
                     [(500, True), (501, False), (699, False), (700, True), (710, True), (711, False)]]
        expected += [(source, 500, wanted) for source, wanted in [(3999, False), (4002, True), (4003, False)]]
        for source_port, port, wanted in expected:
            with self.subTest(source_port=source_port, port=port):
                self.assertEqual(self._passes(source_port, port), wanted)

    def _passes(self, source_port, port):
        flow = Flow(4, STRANGER[4], SERVER[4])
        payload = source_port.to_bytes(2, "big") + flow.udp(port)[2:6] + b"\0\0data"  # no checksum: allowed over IPv4
        with RawReceiver(self.server, 4, 17) as receiver:
            send_raw(self.client, 4, STRANGER[4], SERVER[4], 17, payload)
            return receiver.receives(payload, SHORT)


class Switched(FwdTest):
    """What is always in force, switched off."""

    policy = "builtin ping off\ndefault deny in\n"

    def test_ping_is_not_answered_when_it_is_off(self):
        for family in FAMILIES:
            self.assertNotEqual(self.client.run(["ping", "-c", "1", "-W", "1", SERVER[family]]).returncode, 0)


class Interfaces(FwdTest):
    """A rule on an interface holds there only, also for one that appears later."""

    policy = "default deny in\nallow in on eth0 80/tcp\nallow in on late0 81/tcp\n"

    def test_a_rule_holds_on_its_interface_only(self):
        other = self.host("other")
        connect(other, "eth0", self.server, "late0")
        address(other, "eth0", "192.0.2.1/24")
        address(self.server, "late0", "192.0.2.2/24")
        for namespace, source, target, port, wanted in [
                (self.client, STRANGER[4], SERVER[4], 80, True), (self.client, STRANGER[4], SERVER[4], 81, False),
                (other, "192.0.2.1", "192.0.2.2", 81, True), (other, "192.0.2.1", "192.0.2.2", 80, False)]:
            with self.subTest(target=target, port=port), RawReceiver(self.server, 4, 6) as receiver:
                payload = Flow(4, source, target).tcp(port)
                send_raw(namespace, 4, source, target, 6, payload)
                self.assertEqual(receiver.receives(payload, 2 if wanted else SHORT), wanted)

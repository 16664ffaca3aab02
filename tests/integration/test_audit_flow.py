"""The ends of connections: what conntrack counted, told by the audit log as fwd.flow."""

import pathlib
import socket
import struct
import time

from audit_log import chained
from harness import FAMILIES, SERVER, STRANGER, FwdTest
from lab.firewall import field
from lab.process import wait_until
from test_audit_kill import Datagrams
from traffic import Listener, UdpServer, connect, exchange, open_socket

WEB, SILENT, CUT, UDP = 80, 83, 84, 9000
IP_HEADER = {4: 20, 6: 40}
UDP_HEADER = 8

_DELETE = 1 << 8 | 2  # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE: without a tuple, all of them
_REQUEST, _ACK = 1, 4
_NETFILTER = 12  # of AF_NETLINK


class FlowTest(FwdTest):
    policy = f"""default deny in
allow in {WEB}/tcp comment "web"
allow in log none {SILENT}/tcp
allow in {CUT}/tcp
allow in {UDP}/udp comment "datagrams"
"""

    def flow(self, **fields):
        """The one record of a connection's end with these fields, after all have been ended."""
        self.flush()
        wait_until(lambda: self.fwd.audit(event__dataset="fwd.flow", **fields), 5, "the record of the end")
        found = self.fwd.audit(event__dataset="fwd.flow", **fields)
        self.assertEqual(len(found), 1, found)
        return found[0]

    def flush(self):
        """Ends all connections at once: conntrack itself looks for old ones only now and then."""
        message = struct.pack("=IHHIIBBH", 20, _DELETE, _REQUEST | _ACK, 1, 0, socket.AF_UNSPEC, 0, 0)
        with self.server.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETFILTER) as sock:
            sock.send(message)
            self.assertEqual(struct.unpack_from("=i", sock.recv(100), 16)[0], 0)

    def tracked(self, words):
        """How many connections conntrack has in whose lines these words stand."""
        return self.server.read("nf_conntrack").count(words)


class Flows(FlowTest):
    def test_bytes_and_packets_are_those_that_were_sent_each_way(self):
        rule = self.fwd.json("list")["rules"][3]
        for family in FAMILIES:
            with self.subTest(family=family), UdpServer(self.server, family, UDP):
                with open_socket(self.client, family, socket.SOCK_DGRAM, STRANGER[family]) as sock:
                    sock.settimeout(2)
                    sock.connect((SERVER[family], UDP))
                    for size in (1, 10, 100):
                        sock.send(bytes(size))
                        self.assertEqual(len(sock.recv(1000)), size)
                    sock.send(b"?" * 7)
                    self.assertEqual(len(sock.recv(1000)), 7)
                    port = sock.getsockname()[1]
                sent = 118 + 4 * (IP_HEADER[family] + UDP_HEADER)
                record = self.flow(source__ip=STRANGER[family], network__transport="udp", source__port=port)
                self.assert_fields(
                    record, event__type=["connection", "end"], event__action="end", event__kind="event",
                    event__category=["network"], source__packets=4, source__bytes=sent, destination__packets=4,
                    destination__bytes=sent, destination__ip=SERVER[family], destination__port=UDP,
                    network__packets=8, network__bytes=2 * sent, network__direction="ingress", rule__id=rule["id"],
                    rule__name="datagrams", network__type=f"ipv{family}", observer__type="firewall")
                start, end = field(record, "event.start"), field(record, "event.end")
                self.assertLess(start, end)
                self.assertGreater(field(record, "event.duration"), 0)
                verdict = self.fwd.audit(event__dataset="fwd.verdict", source__port=port)[0]
                self.assertEqual(field(record, "network.community_id"), field(verdict, "network.community_id"))

    def test_a_tcp_connection_ends_with_what_the_interface_counted(self):
        made = self.server.run(["nft", "-f", "-"], input=f"""
table inet witness {{
    counter there {{ }}
    counter back {{ }}
    chain incoming {{ type filter hook input priority 300; tcp dport {WEB} counter name there; }}
    chain outgoing {{ type filter hook output priority 300; tcp sport {WEB} counter name back; }}
}}
""")
        self.assertEqual(made.returncode, 0, made.stderr)
        with Listener(self.server, WEB, b"hello"), connect(self.client, 4, SERVER[4], WEB) as sock:
            self.assertEqual(sock.recv(5), b"hello")
            self.assertTrue(exchange(sock, b"x" * 50000))
        wait_until(lambda: self.tracked("TIME_WAIT") == 1, 5, "the connection is closed")
        record = self.flow(destination__port=WEB)
        for side, counter in (("source", "there"), ("destination", "back")):
            words = self.server.run(["nft", "list", "counter", "inet", "witness", counter]).stdout.split()
            packets, size = (int(words[words.index(name) + 1]) for name in ("packets", "bytes"))
            self.assert_fields(record, **{f"{side}__packets": packets, f"{side}__bytes": size})
            self.assertGreater(size, 50000)

    def test_an_outgoing_connection_and_a_ping_end_with_their_own_direction(self):
        with Listener(self.client, WEB), connect(self.server, 4, STRANGER[4], WEB) as sock:
            self.assertTrue(exchange(sock))
        self.assert_fields(self.flow(destination__ip=STRANGER[4]), network__direction="egress", rule__id="default")
        self.client.run(["ping", "-c", "1", "-W", "2", SERVER[4]])
        self.assert_fields(self.flow(network__transport="icmp"), rule__id="ping", source__packets=1,
                           destination__packets=1, network__direction="ingress")

    def test_a_cut_connection_ends_as_revoked_by_the_rule_that_cut_it(self):
        with Listener(self.server, CUT), connect(self.client, 4, SERVER[4], CUT) as sock:
            self.assertTrue(exchange(sock))
            self.ctl(0, "insert", "1", "deny", "in", f"{CUT}/tcp")
            denying = self.fwd.json("list")["rules"][0]["id"]
            self.assert_fields(self.flow(destination__port=CUT), event__reason="revoked", rule__id=denying)

    def test_what_isnt_judged_and_what_isnt_logged_has_no_flow(self):
        with Listener(self.server, WEB), Listener(self.server, SILENT):
            with connect(self.server, 4, "127.0.0.1", WEB) as sock:
                self.assertTrue(exchange(sock))
            with connect(self.client, 4, SERVER[4], SILENT) as sock:
                self.assertTrue(exchange(sock))
            with connect(self.client, 4, SERVER[4], WEB) as sock:
                self.assertTrue(exchange(sock))
        self.flow(destination__port=WEB)
        self.assertEqual(len(self.fwd.audit(event__dataset="fwd.flow")), 1)

    def test_the_accounts_of_decisions_know_nothing_of_flows(self):
        with Listener(self.server, WEB):
            for _ in range(5):
                with connect(self.client, 4, SERVER[4], WEB) as sock:
                    self.assertTrue(exchange(sock))
        self.flush()
        wait_until(lambda: len(self.fwd.audit(event__dataset="fwd.flow")) == 5, 5, "five flows")
        verdicts = len(self.fwd.audit(event__dataset="fwd.verdict"))  # also of a host's own IPv6 multicast
        self.assertGreaterEqual(verdicts, 5)
        counts = self.fwd.get("/v1/audit")["counts"]
        self.assertEqual((counts["decided"], counts["written"]), (verdicts, verdicts))
        self.assertEqual(chained(self.fwd.audit_file.read_bytes().splitlines(keepends=True)), [])
        self.assertIn("Intact", self.ctl(0, "--state", str(self.fwd.state), "audit", "verify", str(self.fwd.audit_file)))


class Folded(FlowTest):
    settings = "[audit]\nfold_above = 10\n"

    def test_many_ends_in_a_second_are_told_together_with_exact_sums(self):
        with Datagrams(self.client) as load:
            wait_until(lambda: load.sent > 500, 10, "many flows")
        self.assert_queue_rests()
        flows = self.tracked("udp")
        self.assertGreater(flows, 400)
        self.flush()
        wait_until(lambda: self.told()[0] >= flows, 5, "all ends are told")
        self.assertEqual(self.told(), (flows, flows, flows * (IP_HEADER[4] + UDP_HEADER + 1)))
        self.assertLess(len(self.fwd.audit(event__dataset="fwd.flow")), 50)

    def told(self):
        """Connections, and the packets and bytes of who opened them."""
        records = self.fwd.audit(event__dataset="fwd.flow")
        return (sum(field(record, "fwd.connections") or 1 for record in records),
                sum(field(record, "source.packets") for record in records),
                sum(field(record, "source.bytes") for record in records))


class Overrun(Folded):
    settings = "lease_ms = 300\n[audit]\nfold_above = 10\n"

    def test_many_ends_in_a_second_are_told_together_with_exact_sums(self):
        """Here more than the daemon has room for: those that it could not read are counted exactly, too."""
        with self.fwd.process.stopped():
            time.sleep(0.5)  # the kernel decides alone
            with Datagrams(self.client, pause=0, burst=64) as load:
                wait_until(lambda: load.sent > 60000, 30, "many flows")
            flows = self.tracked("udp")
            self.flush()
        wait_until(lambda: self.fwd.audit(event__reason="flow_overrun"), 10, "the gap is told")
        wait_until(lambda: self.told()[0] + self.lost() >= flows, 10, "all ends are told")
        self.assertEqual(self.told()[0] + self.lost(), flows)
        self.assertGreater(self.told()[0], 1000)
        gap = self.fwd.audit(event__dataset="fwd.audit_gap")[0]
        self.assert_fields(gap, event__reason="flow_overrun", event__action="gap", fwd__count=None)

    def lost(self):
        return sum(field(gap, "fwd.connections") for gap in self.fwd.audit(event__dataset="fwd.audit_gap"))


class Off(FlowTest):
    settings = "[audit]\nflows = false\n"

    def setUp(self):
        super().setUp()
        with self.server.entered():
            self.accounting = pathlib.Path("/proc/sys/net/netfilter/nf_conntrack_acct").read_text(encoding="ascii")

    def test_without_flows_the_kernel_isnt_asked_to_count(self):
        self.assertEqual(self.accounting, "0\n")

"""The audit log: one record for each decision on a new connection, as Elastic Common Schema."""

import datetime
import signal
import time

from harness import FAMILIES, SERVER, SHORT, STRANGER, FwdTest
from lab.firewall import field
from traffic import Listener, connect, exchange, is_open, udp_outcome

POLICY = """default deny in
allow in 80/tcp comment "web"
reject in 81/tcp
deny in log none 82/tcp
allow in 83/tcp log none
reject out proto tcp to any port 25
"""


class Audit(FwdTest):
    policy = POLICY

    def test_an_allowed_connection_is_one_record_that_names_its_rule(self):
        rule = self.fwd.json("list")["rules"][0]
        with Listener(self.server, 80):
            for family in FAMILIES:
                with self.subTest(family=family):
                    with connect(self.client, family, SERVER[family], 80) as sock:
                        source_port = sock.getsockname()[1]
                        self.assertTrue(exchange(sock))
                    record = self.records(1, source__ip=STRANGER[family], destination__port=80)[0]
                    self.assert_fields(
                        record, ecs__version="8.17.0", event__kind="event", event__category=["network"],
                        event__type=["connection", "allowed"], event__action="accept", event__outcome="success",
                        event__dataset="fwd.verdict", event__reason="rule", rule__id=rule["id"], rule__name="web",
                        rule__ruleset="policy.fw:2", network__type=f"ipv{family}", network__transport="tcp",
                        network__iana_number="6", network__direction="ingress", source__port=source_port,
                        destination__ip=SERVER[family], observer__type="firewall",
                        observer__ingress__interface__name="eth0", fwd__hook="input", fwd__tcp_flags="S",
                        fwd__decided_by="daemon")
                    self.assertRegex(field(record, "@timestamp"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
                    self.assertRegex(field(record, "network.community_id"), r"^1:[A-Za-z0-9+/]{27}=$")

    def test_a_denied_connection_is_a_record_with_the_reason_default(self):
        for family in FAMILIES:
            with self.subTest(family=family):
                self.assertFalse(is_open(self.client, family, SERVER[family], 3306))
                record = self.records(1, source__ip=STRANGER[family], destination__port=3306)[0]
                self.assert_fields(record, event__action="drop", event__type=["connection", "denied"],
                                   event__outcome="success", event__reason="default")

    def test_a_rejected_connection_says_reject(self):
        is_open(self.client, 4, SERVER[4], 81)
        record = self.records(1, destination__port=81)[0]
        self.assert_fields(record, event__action="reject", event__type=["connection", "denied"], event__reason="rule")

    def test_outgoing_connections_are_recorded_as_such(self):
        with Listener(self.client, 9000):
            self.assertTrue(is_open(self.server, 4, STRANGER[4], 9000))
            is_open(self.server, 4, STRANGER[4], 25)
        allowed = self.records(1, destination__port=9000)[0]
        self.assert_fields(allowed, event__action="accept", network__direction="egress", fwd__hook="output",
                           observer__egress__interface__name="eth0", event__reason="default")
        self.assert_fields(self.records(1, destination__port=25)[0], event__action="reject", event__reason="rule")

    def test_log_none_writes_nothing(self):
        with Listener(self.server, 83):
            self.assertTrue(is_open(self.client, 4, SERVER[4], 83))
            self.assertFalse(is_open(self.client, 4, SERVER[4], 82))
        time.sleep(SHORT)
        self.assertEqual(self.fwd.audit(destination__port=82) + self.fwd.audit(destination__port=83), [])

    def test_udp_and_ping_have_what_belongs_to_them(self):
        udp_outcome(self.client, 4, SERVER[4], 5353)
        self.assert_fields(self.records(1, destination__port=5353)[0], network__transport="udp", event__action="drop")
        for family, transport in ((4, "icmp"), (6, "ipv6-icmp")):
            self.client.run(["ping", "-c", "1", "-W", "2", SERVER[family]])
            record = self.records(1, network__transport=transport, source__ip=STRANGER[family])[0]
            self.assert_fields(record, event__action="accept", rule__id="ping", source__port=None)

    def test_a_connection_judged_again_is_not_a_new_one(self):
        with Listener(self.server, 80), connect(self.client, 4, SERVER[4], 80) as sock:
            self.assertTrue(exchange(sock))
            for port in (8001, 8002):
                self.ctl(0, "allow", "in", f"{port}/tcp")
                self.assertTrue(exchange(sock))
            self.records(1, destination__port=80, event__action="accept")

    def test_every_line_is_one_record_and_their_numbers_follow_each_other(self):
        start = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=60)
        with Listener(self.server, 80):
            for _ in range(20):
                self.assertTrue(is_open(self.client, 4, SERVER[4], 80))
        self.records(20, destination__port=80)
        records = self.fwd.audit()
        numbers = [field(record, "event.sequence") for record in records]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))
        for record in records:
            stamp = datetime.datetime.fromisoformat(field(record, "@timestamp").replace("Z", "+00:00"))
            self.assertGreater(stamp, start)

    def test_the_counts_add_up(self):
        with Listener(self.server, 80):
            for port in (80, 80, 80, 3306):
                is_open(self.client, 4, SERVER[4], port)
        self.records(1, destination__port=3306)
        counts = self.fwd.status()["audit"]
        self.assertEqual((counts["lost"], counts["waiting"]), (0, 0))
        self.assertEqual(counts["written"], len(self.fwd.audit(event__dataset="fwd.verdict")))

    def test_a_comment_with_quotes_and_escapes_stays_one_valid_line(self):
        self.ctl(0, "allow", "in", "84/tcp", "comment", 'say "hi" \\ there')
        with Listener(self.server, 84):
            self.assertTrue(is_open(self.client, 4, SERVER[4], 84))
        self.assert_fields(self.records(1, destination__port=84)[0], rule__name='say "hi" \\ there')

    def test_rotation_by_rename_and_sighup_loses_nothing(self):
        with Listener(self.server, 80):
            self.assertTrue(is_open(self.client, 4, SERVER[4], 80))
            self.records(1, destination__port=80)
            self.fwd.audit_file.rename(self.fwd.audit_file.with_suffix(".1"))
            self.fwd.process.signal(signal.SIGHUP)
            time.sleep(SHORT)
            self.assertTrue(is_open(self.client, 4, SERVER[4], 80))
        self.records(1, destination__port=80)
        self.assertIn('"port":80', self.fwd.audit_file.with_suffix(".1").read_text(encoding="utf-8"))

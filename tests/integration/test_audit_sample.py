"""`log sample N`: of a rule's accepted connections some have a record, all are counted."""

import socket

from audit_log import chained, tally
from harness import SERVER, STRANGER, FwdTest
from lab.firewall import field
from lab.process import wait_until
from lab.unix_http import UnixConnection
from scrape import scrape
from test_audit_flow import FlowTest
from traffic import Listener, connect, knock, open_socket

WEB, UDP, RATED, PLAIN = 80, 9000, 22, 443


class Sample(FwdTest):
    policy = f"""default deny in
allow in {WEB}/tcp log sample 5 comment "web"
allow in {UDP}/udp log sample 1000
limit in {RATED}/tcp rate 10/10m log sample 1000000
allow in {PLAIN}/tcp
"""

    def told(self, port, rule):
        """Records of the rule's accepted connections: with a line of their own, and told together."""
        records = self.fwd.audit(event__dataset="fwd.verdict", event__action="accept", rule__id=rule)
        alone = [record for record in records if field(record, "fwd.packets") is None]
        folds = [record for record in records if field(record, "fwd.packets") is not None]
        for record in alone:
            self.assertEqual(field(record, "destination.port"), port)
        for fold in folds:
            self.assert_fields(fold, fwd__sampled_out=True, source__ip=None)
        return len(alone), sum(field(fold, "fwd.packets") for fold in folds)

    def rules(self):
        return self.fwd.json("list")["rules"]

    def assert_adds_up(self):
        """status, metrics, the log's lines and `audit verify` agree, and nothing is lost."""
        wait_until(lambda: self.fwd.get("/v1/audit")["counts"]["waiting"] == 0, 5, "all is written")
        counts = self.fwd.get("/v1/audit")["counts"]
        lines = self.fwd.audit_file.read_bytes().splitlines(keepends=True)
        self.assertEqual(tally(lines), {fate: counts[fate] for fate in ("written", "folded", "lost")})
        self.assertEqual(counts["decided"], counts["written"] + counts["folded"])
        metrics = scrape(UnixConnection(self.fwd.socket))
        self.assertEqual(metrics.get("fwd_audit_records_total", fate="folded"), counts["folded"])
        self.assertEqual(metrics.get("fwd_audit_records_total", fate="written"), counts["written"])
        self.assertEqual(chained(lines), [])
        self.assertIn("Intact", self.ctl(0, "--state", str(self.fwd.state), "audit", "verify", str(self.fwd.audit_file)))

    def test_connections_are_recorded_or_counted_exactly_as_many_as_there_were(self):
        rule = self.rules()[0]
        self.assertEqual((rule["log"], rule["sample"]), ("sample", 5))
        with Listener(self.server, WEB):
            for _ in range(300):
                connect(self.client, 4, SERVER[4], WEB, timeout=5).close()
        wait_until(lambda: sum(self.told(WEB, rule["id"])) >= 300, 5, "all are told")
        alone, folded = self.told(WEB, rule["id"])
        self.assertEqual(alone + folded, 300)
        self.assertEqual(self.rules()[0]["packets"], 300)
        self.assertTrue(25 <= alone <= 105, alone)  # five standard deviations around 60
        self.assert_adds_up()

    def test_datagrams_are_counted_by_rule_and_second_and_not_by_source(self):
        rule = self.rules()[1]["id"]
        before = len(self.fwd.audit_file.read_bytes().splitlines())
        for port in range(10001, 10401):
            with open_socket(self.client, 4, socket.SOCK_DGRAM, STRANGER[4], port) as sock:
                sock.sendto(b"?", (SERVER[4], UDP))
        wait_until(lambda: sum(self.told(UDP, rule)) >= 400, 10, "all are told")
        self.assertEqual(sum(self.told(UDP, rule)), 400)
        self.assertLess(len(self.fwd.audit_file.read_bytes().splitlines()) - before, 40)
        self.assert_adds_up()

    def test_who_is_refused_is_always_on_record(self):
        """A limit's meter lets ten through, which are sampled, and refuses the others."""
        with Listener(self.server, RATED):
            for _ in range(14):
                knock(self.client, 4, SERVER[4], RATED)
            knock(self.client, 4, SERVER[4], 81)
        rule = self.rules()[2]["id"]
        wait_until(lambda: sum(self.told(RATED, rule)) >= 10, 5, "what was let through is told")
        self.assertEqual(self.told(RATED, rule), (0, 10))
        refused = self.fwd.audit(rule__id=rule, event__action="drop")
        self.assertEqual(len(refused), 4)
        for record in refused:
            self.assert_fields(record, event__reason="rate_limit", source__ip=STRANGER[4])
        self.records(1, destination__port=81, event__action="drop")
        self.assert_adds_up()

    def test_the_same_rule_again_changes_its_sample_where_it_stands(self):
        rule = self.rules()[0]["id"]
        self.ctl(0, "allow", "in", f"{WEB}/tcp", "log", "sample", "1000000")
        self.assertIn(f"allow in {WEB}/tcp log sample 1000000 comment \"web\"\n", self.policy_text())
        self.assertEqual((self.rules()[0]["id"], self.rules()[0]["sample"]), (rule, 1000000))
        with Listener(self.server, WEB):
            for _ in range(20):
                connect(self.client, 4, SERVER[4], WEB, timeout=5).close()
            wait_until(lambda: sum(self.told(WEB, rule)) == 20, 5, "all are told")
            self.ctl(0, "allow", "in", f"{WEB}/tcp", "log")
            self.assertNotIn("sample", self.rules()[0])
            for _ in range(20):
                connect(self.client, 4, SERVER[4], WEB, timeout=5).close()
        wait_until(lambda: sum(self.told(WEB, rule)) == 40, 5, "all are told")
        self.assertEqual(self.told(WEB, rule), (20, 20))
        self.assert_adds_up()

    def test_a_refusal_cant_be_sampled(self):
        before = self.policy_text()
        said = self.ctl(2, "deny", "in", "81/tcp", "log", "sample", "10")
        self.assertIn("a deny rule's records aren't sampled: each refusal is on record", said)
        self.assertEqual(self.policy_text(), before)


class SampledFlows(FlowTest):
    policy = f"default deny in\nallow in {WEB}/tcp log sample 4 comment \"web\"\n"

    def test_the_end_is_told_of_the_connections_whose_beginning_is(self):
        with Listener(self.server, WEB):
            for _ in range(100):
                connect(self.client, 4, SERVER[4], WEB, timeout=5).close()
        self.flush()

        def flows():
            return sum(field(record, "fwd.connections") or 1 for record in self.fwd.audit(event__dataset="fwd.flow"))

        wait_until(lambda: flows() >= 100, 5, "all ends are told")
        self.assertEqual(flows(), 100)
        begun, ended = ({field(record, "source.port") for record in self.fwd.audit(
            event__dataset=dataset, source__ip=STRANGER[4], destination__port=WEB)}
            for dataset in ("fwd.verdict", "fwd.flow"))
        self.assertEqual(begun, ended)
        self.assertTrue(4 <= len(begun) <= 50, begun)

"""`limit` counts new connections by source address in the kernel; both outcomes are in the audit log."""

from harness import FAMILIES, PEER, SERVER, STRANGER, FwdTest
from traffic import Listener, connect, exchange, is_open


class Limit(FwdTest):
    policy = "default deny in\nlimit in 22/tcp comment \"ssh\"\nlimit in 2222/tcp rate 2/1m\n"

    def test_six_connections_pass_and_the_seventh_does_not(self):
        with Listener(self.server, 22):
            for family in FAMILIES:
                with self.subTest(family=family):
                    tries = [is_open(self.client, family, SERVER[family], 22, STRANGER[family]) for _ in range(7)]
                    self.assertEqual(tries, [True] * 6 + [False])
                    self.assertTrue(is_open(self.client, family, SERVER[family], 22, PEER[family]),
                                    "another address counts by itself")

    def test_a_rule_has_a_rate_and_a_count_of_its_own(self):
        with Listener(self.server, 22), Listener(self.server, 2222):
            self.assertEqual([is_open(self.client, 4, SERVER[4], 2222) for _ in range(3)], [True, True, False])
            self.assertTrue(is_open(self.client, 4, SERVER[4], 22))

    def test_both_outcomes_are_audited(self):
        with Listener(self.server, 2222):
            for _ in range(3):
                is_open(self.client, 4, SERVER[4], 2222)
        self.records(2, destination__port=2222, event__action="accept")
        refused = self.fwd.audit(destination__port=2222, event__action="drop")
        self.assertGreaterEqual(len(refused), 1)
        self.assert_fields(refused[0], event__reason="rate_limit", source__ip=STRANGER[4], event__dataset="fwd.verdict")

    def test_an_established_connection_is_not_counted_again_after_a_change(self):
        with Listener(self.server, 2222), connect(self.client, 4, SERVER[4], 2222) as first, \
                connect(self.client, 4, SERVER[4], 2222) as second:
            self.ctl(0, "allow", "in", "80/tcp")
            self.ctl(0, "allow", "in", "81/tcp")
            self.assertTrue(exchange(first))
            self.assertTrue(exchange(second))

"""A reject reaches who tries at once, while the queues are being served."""

from harness import FAMILIES, SERVER, STRANGER, FwdTest
from traffic import Listener, outcome, udp_outcome

AT_ONCE = 0.4  # seconds; a dropped SYN would be sent again only after one
PROHIBITED = {4: "EHOSTUNREACH", 6: "EACCES"}  # what a UDP socket makes of "administratively prohibited"


class Reject(FwdTest):
    policy = """
    default deny in
    reject in proto tcp to any port 8081
    reject in proto udp to any port 8081
    reject out proto tcp to any port 25
    reject out proto udp to any port 25
    """

    def test_tcp_from_outside_is_reset_at_once(self):
        with Listener(self.server, 8081):
            for family in FAMILIES:
                with self.subTest(family=family):
                    self.assert_at_once("refused", outcome(self.client, family, SERVER[family], 8081))

    def test_udp_from_outside_is_answered_by_icmp_at_once(self):
        for family in FAMILIES:
            with self.subTest(family=family):
                self.assert_at_once(PROHIBITED[family], udp_outcome(self.client, family, SERVER[family], 8081))

    def test_tcp_to_outside_is_reset_at_once(self):
        with Listener(self.client, 25):
            for family in FAMILIES:
                with self.subTest(family=family):
                    self.assert_at_once("refused", outcome(self.server, family, STRANGER[family], 25))

    def test_udp_to_outside_is_answered_by_icmp_at_once(self):
        for family in FAMILIES:
            with self.subTest(family=family):
                self.assert_at_once(PROHIBITED[family], udp_outcome(self.server, family, STRANGER[family], 25))

    def test_a_denied_neighbour_port_stays_silent(self):
        with Listener(self.server, 8082):
            self.assertEqual(outcome(self.client, 4, SERVER[4], 8082)[0], "silence")

    def assert_at_once(self, expected, measured):
        result, seconds = measured
        self.assertEqual(result, expected)
        self.assertLess(seconds, AT_ONCE)


class RejectByDefault(FwdTest):
    policy = "default reject in\nallow in 80/tcp\n"

    def test_the_default_can_reject(self):
        for family in FAMILIES:
            result, seconds = outcome(self.client, family, SERVER[family], 8081)
            self.assertEqual(result, "refused")
            self.assertLess(seconds, AT_ONCE)

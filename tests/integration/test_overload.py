"""More packets than the queues take, or the connection table: the policy holds, and who is permitted gets in."""

import errno
import time

from harness import SERVER, SHORT, STRANGER
from lab.process import wait_until
from load import Fault, flood, forged_sources
from traffic import Listener, connect, exchange, is_open


class Flooded(Fault):
    settings = "queue_length = 64\n[audit]\nfold_above = 50\n"

    def test_forged_floods_of_closed_and_open_ports_keep_nobody_out(self):
        self.server.ip("route add default via 10.0.0.7")
        with self.load() as load:
            flood(self.client, forged_sources(5000), 8080, 30_000, each_millisecond=30)
            flood(self.client, forged_sources(5000), 80, 10_000, each_millisecond=30)
            self.assertGreaterEqual(load.wait_for_new(3, 8), 3)
        self.assertEqual((load.forbidden(), load.lost, load.failed), (0, [], []))
        wait_until(lambda: all(queue.waiting == 0 for queue in self.fwd.queue_lines()), 1, "the queues are empty")
        self.assertEqual(self.fwd.ctl("status").returncode, 0)


class Shed(Fault):
    settings = "shed_above = 300\n"

    def shed(self):
        return self.server.run(["nft", "list", "set", "inet", "fwd_policy", "shed_v4"]).stdout

    def test_a_source_that_sends_too_much_goes_past_the_queue_and_is_judged_the_same(self):
        with self.load() as load:
            flood(self.client, [STRANGER[4]], 8080, 2000)
            wait_until(lambda: f"{STRANGER[4]} timeout 10s" in self.shed(), 1, "the source is shed")
            queued = self.fwd.queued_packets()
            self.assertTrue(is_open(self.client, 4, SERVER[4], 80, STRANGER[4]))
            self.assertFalse(is_open(self.client, 4, SERVER[4], 8080, STRANGER[4]))
            flood(self.client, [STRANGER[4]], 8080, 1000)
            self.assertLess(self.fwd.queued_packets() - queued, 1000, "only IPv6 and its flows are queued")
            status = self.fwd.status()["kernel_copy"]
            self.assertTrue(status["active"])
            self.assertGreaterEqual(status["shed"], 1000)
            self.assertIn("Kernel's copy: decides since", self.ctl(0, "status"))
        self.assert_held(load)
        self.records(1, event__action="shed", event__dataset="fwd.health")
        _, ended = self.episode("shed")
        self.assertGreaterEqual(ended["fwd"]["denied"], 1000)
        stats = self.fwd.json("stats")
        self.assertEqual(stats["reasons"]["shed"], ended["fwd"]["shed"])
        rules = self.fwd.json("list")
        self.assertGreaterEqual(rules["defaults"]["in"]["packets"], 3000)


class Unlimited(Fault):
    settings = "shed_above = 0\n"

    def test_with_shedding_off_every_packet_is_queued(self):
        flood(self.client, [STRANGER[4]], 8080, 2000)
        time.sleep(SHORT)
        self.assertEqual(self.fwd.status()["kernel_copy"]["shed"], 0)
        self.assertGreater(self.fwd.queued_packets(), 1000)


class LimitReason(Fault):
    policy = "default deny in\nlimit in 80/tcp rate 2/1m\n"

    def test_what_meters_refuse_is_in_the_statistics(self):
        with Listener(self.server, 80):
            tries = [is_open(self.client, 4, SERVER[4], 80) for _ in range(3)]
        self.assertEqual(tries, [True, True, False])
        self.assertGreaterEqual(self.fwd.json("stats")["reasons"]["rate_limit"], 1)


class TableFull(Fault):
    def test_a_full_connection_table_costs_new_connections_and_nothing_else(self):
        """The kernel drops new connections before any rule."""
        try:
            self.server.sysctl("net/netfilter/nf_conntrack_max", 40)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EPERM, errno.ENOENT):
                raise
            self.skipTest("this kernel has one nf_conntrack_max for all namespaces, which isn't ours to set")
        with Listener(self.server, 80), Listener(self.server, 8080) as canary:
            kept = [connect(self.client, 4, SERVER[4], 80) for _ in range(10)]
            for _ in range(60):
                if not is_open(self.client, 4, SERVER[4], 80):
                    break
            else:
                self.skipTest("the namespace's own nf_conntrack_max isn't obeyed")
            self.assertTrue(any("conntrack table" in warning for warning in self.fwd.status()["warnings"]))
            self.assertTrue(all(exchange(sock) for sock in kept))
            self.assertFalse(is_open(self.client, 4, SERVER[4], 8080))
            self.assertEqual(canary.accepted(), 0)
            for sock in kept:
                sock.close()

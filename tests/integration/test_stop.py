"""A daemon that is killed, stopped or restarted under load: the policy holds, and what is open stays open."""

import os
import time

from harness import SERVER
from load import LEASE, POLICY, Fault, flood_on_each_cpu, forged_sources
from traffic import Listener, connect, is_open

RETRANSMISSION = 1.0  # of a TCP SYN (RFC 6298, 2)


class Killed(Fault):
    def test_a_killed_daemon_leaves_the_policy_and_its_successor_tells_what_happened(self):
        with self.load() as load:
            self.assertGreater(load.wait_for_new(3, 5), 0)
            self.fwd.kill()
            self.assertGreaterEqual(load.wait_for_new(10, 5), 10)
            before = sum(self.counter(f"copy_{what}") for what in ("allowed", "denied"))
            self.fwd.start()
            self.assertGreaterEqual(load.wait_for_new(3, 5), 3)
        self.assert_held(load)
        _, ended = self.episode("restart")
        self.assertGreaterEqual(ended["fwd"]["packets"], before)
        self.assertEqual(self.counter("copy_allowed"), 0, "a packet is told once")

    def test_restarts_under_load_are_not_noticed(self):
        with self.load() as load:
            for _ in range(3):
                self.fwd.stop()
                self.fwd.start()
                self.assertGreaterEqual(load.wait_for_new(3, 5), 3)
        self.assert_held(load)
        self.assert_queue_rests()


class Stopped(Fault):
    def test_with_room_in_the_queue_the_copy_decides_when_the_lease_has_run_out(self):
        with self.load() as load:
            self.assertGreater(load.wait_for_new(3, 5), 0)
            with self.fwd.process.stopped():
                time.sleep(LEASE + RETRANSMISSION + 0.2)
                self.assertGreaterEqual(load.wait_for_new(10, 3), 10)
                start = time.monotonic()
                self.assertTrue(is_open(self.client, 4, SERVER[4], 80))
                self.assertLess(time.monotonic() - start, RETRANSMISSION / 2, "at once")
            self.assertGreaterEqual(load.wait_for_new(5, 5), 5)
        self.assert_held(load)
        # The SYN that waited for the lease to end was sent once more, or twice.
        self.assertLess(max(load.opened), LEASE + 3 * RETRANSMISSION + 0.5)
        _, ended = self.episode("no_answer")
        self.assertGreaterEqual(ended["fwd"]["allowed"], 10)
        self.assert_queue_rests()


class StoppedBeforeAnother(Fault):
    settings = "lease_ms = 10000\n"  # longer than the packet has to wait

    def test_a_verdict_of_an_older_policy_is_not_obeyed(self):
        """A packet that waits in the queue of a stopped daemon while another one takes the table over."""
        self.ctl(0, "allow", "in", "81/tcp")
        with Listener(self.server, 81) as canary:
            with self.fwd.process.stopped():
                with self.assertRaises(TimeoutError):
                    connect(self.client, 4, SERVER[4], 81, timeout=0.1)
                self.assertEqual(sum(queue.waiting for queue in self.fwd.queue_lines()), 1)
                (self.fwd.state / "disabled").touch()  # so that the stopped one doesn't take it back
                successor = self.firewall(POLICY, "nflog_group = 4790\n", "successor")
                successor.queues = "4:5"
                self.stack.enter_context(successor)
            self.assert_queue_rests()
            self.assertFalse(is_open(self.client, 4, SERVER[4], 81))
            self.assertEqual(canary.accepted(), 0)


class StoppedAndFull(Fault):
    settings = "lease_ms = 10000\nqueue_length = 64\nshed_above = 0\n"

    def test_with_a_full_queue_the_copy_decides_at_once(self):
        self.server.ip("route add default via 10.0.0.7")
        with self.load() as load:
            self.assertGreater(load.wait_for_new(3, 5), 0)
            with self.fwd.process.stopped():
                flood_on_each_cpu(self.client, forged_sources(1000), 8080, 2000)
                full = {cpu % 2 for cpu in os.sched_getaffinity(0)}
                self.assertEqual({queue.number for queue in self.fwd.queue_lines() if queue.waiting == 64}, full)
                load.wait_for_new(1, 2 * RETRANSMISSION)
                self.assertGreaterEqual(load.wait_for_new(10, 3), 10)
            self.assertGreaterEqual(load.wait_for_new(5, 5), 5)
        self.assert_held(load)
        _, ended = self.episode("queue_full")
        self.assertGreaterEqual(ended["fwd"]["denied"], 1000)
        self.assert_queue_rests()

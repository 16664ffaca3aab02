"""The daemon's life: start, refusal to start, reload, end, and the table that outlives it."""

import os
import signal
import unittest

from harness import FAMILIES, SERVER, FwdTest, Hosts
from lab.process import Process, wait_until
from traffic import Listener, connect, exchange, is_open

POLICY = "default deny in\nallow in 80/tcp\n"


class Life(FwdTest):
    policy = POLICY

    def test_sigterm_ends_it_cleanly_and_leaves_the_policy_in_force(self):
        with Listener(self.server, 80), Listener(self.server, 8080), connect(self.client, 4, SERVER[4], 80) as live:
            self.assertTrue(exchange(live))
            self.assertEqual(self.fwd.stop(), 0)
            self.assertFalse(self.fwd.socket.exists())
            self.assertIn("fwd_policy", self.fwd.table())
            self.assertTrue(exchange(live))
            for family in FAMILIES:
                self.assertFalse(is_open(self.client, family, SERVER[family], 8080))

    def test_a_killed_daemon_leaves_the_policy_in_force_and_starts_again(self):
        with Listener(self.server, 80), Listener(self.server, 8080), connect(self.client, 4, SERVER[4], 80) as live:
            self.assertTrue(exchange(live))
            self.fwd.kill()
            self.assertTrue(exchange(live))
            self.assertFalse(is_open(self.client, 4, SERVER[4], 8080))
            self.fwd.start()
            self.assertTrue(exchange(live))
            self.assertTrue(is_open(self.client, 4, SERVER[4], 80))
            self.assertFalse(is_open(self.client, 4, SERVER[4], 8080))

    def test_killed_while_it_fills_a_large_set_it_leaves_the_policy_in_force_and_starts_again(self):
        """No rule names what it has filled, and the next start takes it away."""
        members = ",\n".join(",".join(f"10.{a}.{b}.{c}" for c in range(0, 256, 2)) for a in range(12) for b in range(256))
        new = self.fwd.directory / "large.fw"
        new.write_text(f"set large = {{ {members} }}\n{POLICY}deny in from @large\n", encoding="ascii")

        def nft(*what):
            return self.server.run(["nft", "--terse", "list", *what]).stdout

        def is_there():
            return "large_4" in nft("sets", "inet")

        def kill_while_it_fills():
            """False: the commit came first."""
            before = nft("chain", "inet", "fwd_policy", "state")
            with Process(self.server, self.fwd.ctl_argv("apply", str(new)), self.fwd.directory / "apply.log"):
                wait_until(is_there, 60, "the set is being filled")
                self.fwd.kill()
            if nft("chain", "inet", "fwd_policy", "state") == before:
                return is_there()
            self.fwd.policy.write_text(POLICY, encoding="ascii")
            self.fwd.start()
            return False

        with Listener(self.server, 80), Listener(self.server, 8080), connect(self.client, 4, SERVER[4], 80) as live:
            self.assertTrue(any(kill_while_it_fills() for _ in range(5)), "five kills came too late")
            self.assertTrue(exchange(live))
            self.assertTrue(is_open(self.client, 4, SERVER[4], 80))
            self.assertFalse(is_open(self.client, 4, SERVER[4], 8080))
            self.fwd.start()
            self.assertFalse(is_there())
            self.assertEqual(self.policy_text(), POLICY)
            self.assertTrue(exchange(live))
            self.assertFalse(is_open(self.client, 4, SERVER[4], 8080))

    @unittest.skipUnless(len(os.sched_getaffinity(0)) > 1, "one CPU alone")
    def test_connections_of_one_source_are_judged_on_the_cpu_that_receives_them(self):
        cpus = sorted(os.sched_getaffinity(0))
        with Listener(self.server, 80):
            for cpu in cpus[:2]:
                before = [queue.packets for queue in self.fwd.queue_lines()]
                os.sched_setaffinity(0, {cpu})
                try:
                    self.assertTrue(is_open(self.client, 4, SERVER[4], 80))
                finally:
                    os.sched_setaffinity(0, cpus)
                served = [queue.packets - old for queue, old in zip(self.fwd.queue_lines(), before)]
                self.assertEqual([count > 0 for count in served], [cpu % 2 == queue for queue in range(2)])

    def test_disable_without_a_daemon_says_that_it_took_the_table_away(self):
        self.fwd.kill()
        self.assertEqual(self.ctl(0, "disable"), "fwd: disabled: the table is removed, nothing is filtered, and no "
                                                 "start brings it back before `fwctl enable`\n")
        self.assertEqual(self.fwd.table(), "")
        self.assertTrue((self.fwd.state / "disabled").exists())

    def test_disable_without_a_table_does_not_claim_that_nothing_is_filtered(self):
        """A daemon in another network namespace has a table that can't be seen from here."""
        result = self.client.run([*self.fwd.command(), "--disable"])
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(result.stdout,
                         f"fwd: marked as disabled in {self.fwd.state}: no start filters before `fwctl enable`. "
                         "There was no table to remove in this network namespace; a daemon in another one keeps its "
                         "table\n")
        self.assertIn("fwd_policy", self.fwd.table())

    def test_sighup_loads_the_policy_file_again(self):
        self.fwd.policy.write_text(POLICY + "allow in 81/tcp\n", encoding="utf-8")
        self.fwd.process.signal(signal.SIGHUP)
        wait_until(lambda: len(self.fwd.json("list")["rules"]) == 2, 5, "the new policy is loaded", self.fwd.process)
        with Listener(self.server, 81):
            self.assertTrue(is_open(self.client, 4, SERVER[4], 81))

    def test_sighup_with_a_broken_file_keeps_the_running_policy(self):
        self.fwd.policy.write_text(POLICY + "alow in 81/tcp\n", encoding="utf-8")
        self.fwd.process.signal(signal.SIGHUP)
        wait_until(lambda: "policy.fw:3:" in self.fwd.process.output(), 5, "the error is logged", self.fwd.process)
        self.assertEqual(len(self.fwd.json("list")["rules"]), 1)
        with Listener(self.server, 80):
            self.assertTrue(is_open(self.client, 4, SERVER[4], 80))

    def test_a_start_with_a_broken_policy_is_refused_and_the_last_good_one_stays(self):
        self.fwd.stop()
        self.fwd.policy.write_text("default deny in\nalow in 80/tcp\n", encoding="utf-8")
        table = self.fwd.table()
        self.fwd.launch()
        self.assertNotIn(self.fwd.process.wait(10), (0, None))
        self.assertIn("policy.fw:2:", self.fwd.process.output())
        self.assertEqual(self.fwd.table(), table)
        with Listener(self.server, 8080):
            self.assertFalse(is_open(self.client, 4, SERVER[4], 8080))

    def test_a_second_daemon_on_the_same_socket_is_refused_with_one_line(self):
        table = self.fwd.table()
        self.assert_refuses_with_one_line(self.fwd.command())
        self.assertEqual(self.fwd.table(), table)
        self.ctl(0, "status")
        with Listener(self.server, 80):
            self.assertTrue(is_open(self.client, 4, SERVER[4], 80))

    def test_a_second_daemon_on_the_same_queues_is_refused_with_one_line(self):
        other = self.firewall(POLICY, settings="nflog_group = 4790\n", name="second")
        table = self.fwd.table()
        output = self.assert_refuses_with_one_line(other.command())
        self.assertIn("queue", output)
        self.assertEqual(self.fwd.table(), table)
        with Listener(self.server, 80):
            self.assertTrue(is_open(self.client, 4, SERVER[4], 80))

    def test_root_can_disable_without_a_daemon(self):
        self.fwd.kill()
        self.ctl(0, "disable")
        self.assertEqual(self.fwd.table(), "")
        with Listener(self.server, 8080):
            self.assertTrue(is_open(self.client, 4, SERVER[4], 8080))

    def test_a_stopped_daemon_does_not_hang_the_host(self):
        """The lease runs out and the kernel decides: the deny holds, and nothing waits for the daemon."""
        with Listener(self.server, 80), Listener(self.server, 8080), connect(self.client, 4, SERVER[4], 80) as live:
            self.assertTrue(exchange(live))
            with self.fwd.process.stopped():
                self.assertTrue(exchange(live))
                self.assertFalse(is_open(self.client, 4, SERVER[4], 8080))
            wait_until(lambda: is_open(self.client, 4, SERVER[4], 80), 10, "it answers again", self.fwd.process)

    def assert_refuses_with_one_line(self, command):
        log = self.directory / "second.log"
        with Process(self.server, command, log) as second:
            self.assertNotIn(second.wait(10), (0, None))
            output = second.output()
        self.assertEqual(len(output.splitlines()), 1, output)
        return output


class Start(Hosts):
    """Starts that fail, each with a clear line and nothing half-applied."""

    def refusal(self, command, **options):
        """The output of a command that must end by itself with an error."""
        log = self.directory / "refused.log"
        with Process(self.server, command, log, **options) as process:
            self.assertNotIn(process.wait(10), (0, None))
            return process.output()

    def tables(self):
        return self.server.run(["nft", "list", "tables"]).stdout

    def test_without_cap_net_admin_it_says_so(self):
        firewall = self.firewall(POLICY)
        drop = ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin"]
        output = self.refusal(drop + firewall.command())
        self.assertIn("CAP_NET_ADMIN", output)
        self.assertEqual(len(output.splitlines()), 1, output)
        self.assertEqual(self.tables(), "")

    def test_a_false_expectation_refuses_the_start(self):
        firewall = self.firewall("default deny in\nexpect allow in tcp 192.0.2.1 to 10.0.0.11 port 80\n")
        self.assertIn("policy.fw:2:", self.refusal(firewall.command()))
        self.assertEqual(self.tables(), "")

    def test_bad_settings_are_named_with_their_line(self):
        firewall = self.firewall(POLICY, settings='\nquues = "0:1"\n')
        self.assertIn("fwd.toml:2", self.refusal(firewall.command()))
        self.assertEqual(self.tables(), "")

    def test_a_missing_policy_is_named(self):
        firewall = self.firewall(POLICY)
        firewall.policy.unlink()
        self.assertIn("policy.fw", self.refusal(firewall.command()))
        self.assertEqual(self.tables(), "")

    def test_check_tells_without_touching_the_kernel(self):
        firewall = self.firewall(POLICY)
        result = self.server.run([*firewall.command(), "--check"])
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(result.stdout, f"{firewall.policy}: 1 rule, 0 sets\n")
        firewall.policy.write_text("alow in 80/tcp\n", encoding="utf-8")
        result = self.server.run([*firewall.command(), "--check"])
        self.assertEqual(result.returncode, 2)
        self.assertEqual((result.stdout + result.stderr).count("policy.fw:1:"), 1)
        self.assertEqual(self.tables(), "")

    def test_a_table_of_somebody_else_is_left_alone(self):
        self.server.run(["nft", "add table inet others"])
        with self.firewall(POLICY) as firewall:
            firewall.done("disable")
            self.assertIn("others", self.tables())

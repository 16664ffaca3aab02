"""`fwd --load-kernel-only`: the policy is in the kernel before there is a daemon."""

from harness import FAMILIES, SERVER, Hosts
from traffic import Listener, connect, exchange, is_open, outcome

POLICY = "default deny in\nallow in 80/tcp\nreject in 81/tcp\n"
BROKEN = "default deny in\nalow in 80/tcp\n"


class Boot(Hosts):
    def setUp(self):
        super().setUp()
        self.fwd = self.firewall(POLICY)
        for port in (80, 8080):
            self.stack.enter_context(Listener(self.server, port))

    def load(self, expected_status=0):
        """What it wrote on stderr."""
        result = self.server.run([*self.fwd.command(), "--load-kernel-only"])
        self.assertEqual(result.returncode, expected_status, result.stderr)
        self.assertEqual(result.stdout, "")
        return result.stderr

    def generation(self):
        return self.fwd.table().partition("generation ")[2].partition(" ")[0]

    def assert_enforced(self):
        for family in FAMILIES:
            results = [outcome(self.client, family, SERVER[family], port)[0] for port in (80, 8080, 81)]
            self.assertEqual(results, ["open", "silence", "refused"], f"IPv{family}")

    def test_the_policy_is_enforced_without_a_daemon(self):
        self.assertIn("2 rules, generation 1", self.load())
        self.assertFalse(self.fwd.socket.exists())
        self.assert_enforced()

    def test_a_connection_that_was_open_before_goes_on(self):
        with connect(self.client, 4, SERVER[4], 80) as kept, connect(self.client, 4, SERVER[4], 8080) as cut:
            self.assertTrue(exchange(kept) and exchange(cut))
            self.load()
            self.assertTrue(exchange(kept))
            self.assertFalse(exchange(cut))

    def test_a_daemon_takes_over_and_connections_go_on(self):
        self.load()
        with connect(self.client, 4, SERVER[4], 80) as live:
            self.assertTrue(exchange(live))
            with self.fwd:
                self.assertEqual(self.fwd.status()["generation"], 2)
                self.assertTrue(exchange(live))
                self.assert_enforced()
                self.assertTrue(self.fwd.audit(destination__port=8080, event__action="drop"))

    def test_a_policy_that_is_there_already_is_left_alone(self):
        self.load()
        table = self.fwd.table()
        self.assertIn("already", self.load())
        self.assertEqual(self.fwd.table(), table)
        with self.fwd:
            table = self.fwd.table()
            self.assertIn("already", self.load())
            self.assertEqual(self.fwd.table(), table)

    def test_a_changed_policy_takes_the_place_of_the_old_one(self):
        self.load()
        self.fwd.policy.write_text(POLICY + "allow in 8080/tcp\n", encoding="utf-8")
        self.load()
        self.assertEqual(self.generation(), "2")
        self.assertTrue(is_open(self.client, 4, SERVER[4], 8080))

    def test_the_table_of_a_running_daemon_is_not_touched(self):
        with self.fwd:
            table = self.fwd.table()
            self.fwd.policy.write_text(POLICY + "allow in 8080/tcp\n", encoding="utf-8")
            self.assertIn("another fwd is running", self.load(1))
            self.assertEqual(self.fwd.table(), table)

    def test_a_broken_policy_file_gives_way_to_what_was_in_force_last(self):
        with self.fwd:
            self.fwd.done("allow", "in", "8080/tcp")
        self.server.run(["nft", "delete table inet fwd_policy"])
        self.fwd.policy.write_text(BROKEN, encoding="utf-8")
        said = self.load()
        self.assertIn("policy.fw:2:", said)
        self.assertIn("last_good.json", said)
        for family in FAMILIES:
            results = [outcome(self.client, family, SERVER[family], port)[0] for port in (80, 8080, 81, 82)]
            self.assertEqual(results, ["open", "open", "refused", "silence"])
        table = self.fwd.table()
        self.fwd.launch()
        self.assertEqual(self.fwd.process.wait(10), 2)
        self.assertEqual(self.fwd.table(), table, "a daemon that refuses to start leaves the table")

    def test_included_files_are_kept_with_the_policy(self):
        (self.fwd.directory / "policy.d").mkdir()
        part = self.fwd.directory / "policy.d" / "web.fw"
        part.write_text("allow in 80/tcp\n", encoding="utf-8")
        self.fwd.policy.write_text("default deny in\ninclude \"policy.d/*.fw\"\nreject in 81/tcp\n", encoding="utf-8")
        with self.fwd:
            pass
        self.server.run(["nft", "delete table inet fwd_policy"])
        part.write_text("nonsense\n", encoding="utf-8")
        self.load()
        self.assert_enforced()

    def test_without_any_policy_it_says_so_and_fails(self):
        self.fwd.policy.write_text(BROKEN, encoding="utf-8")
        said = self.load(1)
        self.assertIn("policy.fw:2:", said)
        self.assertIn("no policy has been in force before", said)
        self.assertEqual(self.fwd.table(), "")

    def test_broken_settings_do_not_leave_the_host_open(self):
        self.fwd.settings.write_text("quues = 1\n", encoding="utf-8")
        self.assertIn("fwd.toml:1:", self.load())
        self.assert_enforced()

    def test_what_was_disabled_stays_so(self):
        with self.fwd:
            self.fwd.done("disable")
        self.assertIn("disabled", self.load())
        self.assertEqual(self.fwd.table(), "")

    def test_observe_mode_is_kept(self):
        with self.fwd:
            self.fwd.done("mode", "observe")
        self.server.run(["nft", "delete table inet fwd_policy"])
        self.load()
        self.assertTrue(is_open(self.client, 4, SERVER[4], 8080))

"""fwctl against a running daemon: exit statuses, and what it does to the policy file."""

import json
import subprocess

from harness import SERVER, FwdTest, Hosts
from lab.firewall import build_directory
from traffic import Listener, is_open

POLICY = """# our server

set peers = { 10.0.0.11, 10.0.0.12 }\t# the others
set empty = { }

default deny in   # as it should be
allow in 80,443/tcp      comment "web"
   allow in   proto tcp from @peers to any port 3306 comment 'replication'

# the end
"""


class Rules(FwdTest):
    policy = POLICY

    def ids(self):
        return [rule["id"] for rule in self.fwd.json("list")["rules"]]

    def test_a_rule_works_when_the_command_returns_and_is_in_the_file(self):
        with Listener(self.server, 8080):
            self.assertFalse(is_open(self.client, 4, SERVER[4], 8080))
            self.ctl(0, "allow", "8080/tcp")
            self.assertTrue(is_open(self.client, 4, SERVER[4], 8080))
            self.assertIn("8080/tcp", self.policy_text())
            self.ctl(0, "remove", "allow", "8080/tcp")
            self.assertFalse(is_open(self.client, 4, SERVER[4], 8080))

    def test_adding_and_removing_leaves_every_other_byte(self):
        self.ctl(0, "allow", "in", "8080/tcp", "comment", "for a while")
        self.assertEqual([line for line in self.policy_text().splitlines() if "8080" not in line], POLICY.splitlines())
        self.ctl(0, "remove", "allow in 8080/tcp")
        self.assertEqual(self.policy_text(), POLICY)

    def test_an_inserted_rule_has_the_number_that_was_asked_for(self):
        self.ctl(0, "insert", "1", "deny", "in", "from", "203.0.113.0/24")
        rules = self.fwd.json("list")["rules"]
        self.assertEqual([rule["action"] for rule in rules], ["deny", "allow", "allow"])
        self.assertEqual(rules[0]["number"], 1)
        self.ctl(0, "remove", "1")
        self.assertEqual(self.policy_text(), POLICY)

    def test_a_rule_that_is_there_already_is_done_and_not_doubled(self):
        self.ctl(0, "allow", "in", "80,443/tcp")
        self.assertEqual(self.policy_text(), POLICY)

    def test_the_same_rule_again_changes_its_comment_in_place(self):
        self.assertIn("Rule updated", self.ctl(0, "allow", "in", "80,443/tcp", "comment", "the web"))
        changed = POLICY.replace('comment "web"', 'comment "the web"')
        self.assertEqual(self.policy_text(), changed)
        self.assertEqual(self.fwd.json("list")["rules"][0]["comment"], "the web")
        self.assertIn("Already there", self.ctl(0, "allow", "in", "80,443/tcp"))
        self.ctl(0, "allow", "in", "log", "80,443/tcp")
        self.assertEqual(self.policy_text(), changed.replace("443/tcp ", "443/tcp log "))
        self.assertEqual(self.ctl(0, "insert", "2", "allow", "80,443/tcp"),
                         "Already there, as rule 1; not moved (delete it first to move it)\n")

    def test_a_refused_insertion_names_lines_of_the_file_as_it_is(self):
        text = "default deny in\nallow in 80/tcp\nexpect allow in tcp 192.0.2.1 to 10.0.0.11 port 80\n"
        self.fwd.apply(text)
        output = self.ctl(1, "insert", "1", "deny", "from", "192.0.2.0/24")
        self.assertIn("policy.fw:3:1: error: expected allow, but the policy says deny, by command line:1\n", output)
        self.assertEqual(output.count("expected allow"), 1)
        self.assertEqual(self.policy_text(), text)

    def test_rules_are_removed_by_number_by_id_and_by_text(self):
        web = self.ids()[0]
        for selector in ("1", web, web[:8], "allow in 80,443/tcp", 'allow in 80,443/tcp comment "web"'):
            with self.subTest(selector):
                self.ctl(0, "remove", selector)
                self.assertNotIn("443", self.policy_text())
                self.ctl(0, "insert", "1", "allow", "in", "80,443/tcp", "comment", "web")
        self.ctl(1, "remove", "9")
        self.ctl(1, "delete", "ffffffffffffffff")
        self.ctl(1, "remove", "allow in 81/tcp")

    def test_a_syntax_error_is_shown_with_its_place_and_changes_nothing(self):
        before = self.policy_text()
        output = self.ctl(2, "allow", "in", "proto", "tcq", "to", "any", "port", "80")
        self.assertEqual(output.count("tcq"), 2, "in the message and in the line below it")
        self.assertIn("^", output)
        self.ctl(2, "allow", "in", "70000/tcp")
        output = self.ctl(2, "allow", "in", "from", "@peer")
        self.assertIn("@peers", output)
        self.assertEqual(self.policy_text(), before)

    def test_usage_errors_are_2(self):
        for arguments in (["frobnicate"], ["remove"], ["insert", "one", "allow", "80"], ["set", "add"], ["apply"]):
            with self.subTest(arguments):
                self.ctl(2, *arguments)

    def test_a_file_changed_by_hand_is_not_overwritten(self):
        by_hand = POLICY + "allow in 8443/tcp\n"
        self.fwd.policy.write_text(by_hand, encoding="utf-8")
        output = self.ctl(1, "allow", "in", "8080/tcp")
        self.assertIn("policy.fw", output)
        self.assertEqual(self.policy_text(), by_hand)

    def test_every_command_speaks_json(self):
        for arguments in (["status"], ["list"], ["stats"], ["set", "list"], ["allow", "in", "8080/tcp"],
                          ["remove", "allow in 8080/tcp"], ["set", "add", "peers", "10.0.0.13"],
                          ["check", str(self.fwd.policy)], ["disable"], ["enable"]):
            with self.subTest(arguments):
                json.loads(self.ctl(0, "--json", *arguments))

    def test_hits_are_counted_per_rule(self):
        with Listener(self.server, 80):
            for _ in range(3):
                self.assertTrue(is_open(self.client, 4, SERVER[4], 80))
        self.assertEqual([rule["packets"] for rule in self.fwd.json("list")["rules"]], [3, 0])


class Sets(FwdTest):
    policy = POLICY

    def members(self, name):
        return self.fwd.json("set", "list", name)["members"]

    def test_a_member_works_when_the_command_returns(self):
        with Listener(self.server, 3306):
            self.assertFalse(is_open(self.client, 4, SERVER[4], 3306, "10.0.0.7"))
            self.ctl(0, "set", "add", "peers", "10.0.0.7")
            self.assertTrue(is_open(self.client, 4, SERVER[4], 3306, "10.0.0.7"))
            self.ctl(0, "set", "remove", "peers", "10.0.0.7")
            self.assertFalse(is_open(self.client, 4, SERVER[4], 3306, "10.0.0.7"))
        self.assertEqual(self.policy_text(), POLICY)

    def test_done_already_is_done(self):
        self.ctl(0, "set", "add", "peers", "10.0.0.11")
        self.ctl(0, "set", "remove", "peers", "10.0.0.99")
        self.assertEqual(self.policy_text(), POLICY)

    def test_members_go_into_an_empty_set_and_out_again(self):
        self.ctl(0, "set", "add", "empty", "2001:db8::/32", "192.0.2.1")
        self.assertEqual(sorted(self.members("empty")), ["192.0.2.1", "2001:db8::/32"])
        self.ctl(0, "set", "remove", "empty", "2001:db8::/32", "192.0.2.1")
        self.assertEqual(self.members("empty"), [])

    def test_an_unknown_set_is_not_found_and_a_bad_address_is_an_error(self):
        self.assertIn("peers", self.ctl(1, "set", "add", "peer", "10.0.0.1"))
        self.ctl(2, "set", "add", "peers", "10.0.0.256")


class Apply(FwdTest):
    policy = POLICY

    def write(self, text):
        file = self.directory / "new.fw"
        file.write_text(text, encoding="utf-8")
        return str(file)

    def test_a_policy_takes_effect_as_a_whole(self):
        with Listener(self.server, 80), Listener(self.server, 81):
            self.ctl(0, "apply", self.write("default deny in\nallow in 81/tcp\n"))
            self.assertFalse(is_open(self.client, 4, SERVER[4], 80))
            self.assertTrue(is_open(self.client, 4, SERVER[4], 81))
        self.assertEqual(self.policy_text(), "default deny in\nallow in 81/tcp\n")

    def test_a_broken_policy_leaves_all_as_it_was(self):
        generation = self.fwd.json("status")["generation"]
        table = self.fwd.table()
        output = self.ctl(2, "apply", self.write("default deny in\nallow in 80/tcp\nallow in from @nobody\n"))
        self.assertIn("new.fw:3:", output)
        self.assertIn("^", output)
        self.assertEqual(self.policy_text(), POLICY)
        self.assertEqual(self.fwd.json("status")["generation"], generation)
        self.assertEqual(self.fwd.table(), table)

    def test_a_false_expectation_refuses_the_policy(self):
        text = "default deny in\nallow in 80/tcp\nexpect allow in tcp 192.0.2.1 to 10.0.0.11 port 81\n"
        output = self.ctl(2, "apply", self.write(text))
        self.assertIn("new.fw:3:", output)
        self.assertEqual(self.policy_text(), POLICY)

    def test_a_policy_that_lets_nobody_in_is_warned_of(self):
        file = self.write("default deny in\nallow out 80/tcp\n")
        for arguments in (["check", file], ["apply", file], ["enable"]):
            with self.subTest(arguments):
                self.assertIn("warning: nothing is let in: no rule allows incoming connections, ssh among them\n",
                              self.ctl(0, *arguments))

    def test_a_diff_of_comments_alone_says_so(self):
        self.assertIn("No difference.", self.ctl(0, "diff", self.write(POLICY)))
        self.assertIn("The rules are the same; comments, expects or layout differ.",
                      self.ctl(0, "diff", self.write("# new\n" + POLICY)))

    def test_check_says_what_apply_would_and_changes_nothing(self):
        self.ctl(0, "check", self.write("default deny in\nallow in 81/tcp\n"))
        self.ctl(2, "check", self.write("alow in 81/tcp\n"))
        self.assertEqual(self.policy_text(), POLICY)

    def test_a_file_that_is_not_there(self):
        self.assertIn("nothing.fw", self.ctl(1, "apply", str(self.directory / "nothing.fw")))


class Includes(Hosts):
    """A policy in several files."""

    def setUp(self):
        super().setUp()
        self.fwd = self.firewall('default deny in\ninclude "policy.d/*.fw"\nallow in 80/tcp\n')
        self.included = self.fwd.directory / "policy.d" / "more.fw"
        self.included.parent.mkdir()
        self.included.write_text("allow in 81/tcp\n", encoding="utf-8")
        self.stack.enter_context(self.fwd)

    def test_included_rules_are_in_force(self):
        with Listener(self.server, 81):
            self.assertTrue(is_open(self.client, 4, SERVER[4], 81))

    def test_a_rule_of_an_include_is_not_removed_by_command(self):
        result = self.fwd.ctl("remove", "allow in 81/tcp")
        self.assertEqual(result.returncode, 1)
        self.assertIn("more.fw:1", result.stderr)
        result = self.fwd.ctl("allow", "in", "81/tcp", "comment", "mine")
        self.assertEqual(result.returncode, 1)
        self.assertIn("more.fw:1", result.stderr)
        self.assertEqual(self.included.read_text(encoding="utf-8"), "allow in 81/tcp\n")

    def test_an_edit_touches_the_main_file_alone(self):
        self.fwd.done("allow", "in", "82/tcp")
        self.assertIn("82/tcp", self.fwd.policy.read_text(encoding="utf-8"))
        self.assertEqual(self.included.read_text(encoding="utf-8"), "allow in 81/tcp\n")


class NoDaemon(Hosts):
    """fwctl where no daemon answers."""

    def fwctl(self, *arguments):
        argv = [str(build_directory() / "fwctl"), "--socket", str(self.directory / "nothing.sock"), *arguments]
        return self.server.run(argv)

    def test_not_reachable_is_3(self):
        result = self.fwctl("status")
        self.assertEqual(result.returncode, 3)
        self.assertIn("nothing.sock", result.stderr)

    def test_check_needs_no_daemon(self):
        policy = self.directory / "policy.fw"
        policy.write_text("default deny in\n", encoding="utf-8")
        self.assertEqual(self.fwctl("check", str(policy)).returncode, 0)

    def test_the_socket_can_be_named_by_the_environment(self):
        environment = {"FWCTL_SOCKET": str(self.directory / "named.sock")}
        result = subprocess.run([str(build_directory() / "fwctl"), "status"], capture_output=True, text=True,
                                check=False, env=environment)
        self.assertEqual(result.returncode, 3)
        self.assertIn("named.sock", result.stderr)

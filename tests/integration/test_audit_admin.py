"""Who changed the firewall, and who tried to, is in its log."""

import os
import signal
import time

from harness import FwdTest
from lab.firewall import field
from lab.process import wait_until


class Admin(FwdTest):
    policy = "default deny in\nallow in 22/tcp\n"

    def test_a_change_is_on_record_with_who_made_it_and_what_it_was(self):
        before = self.fwd.status()
        result = self.fwd.ctl("allow", "in", "80/tcp", "comment", "web", env={**os.environ, "SUDO_UID": "1234"})
        self.assertEqual(result.returncode, 0, result.stderr)
        after = self.fwd.status()
        record = self.records(1, event__dataset="fwd.admin")[0]
        self.assert_fields(
            record, event__category=["configuration"], event__type=["change"], event__action="add_rule",
            event__outcome="success", user__id="0", user__name="root", fwd__sudo_uid=1234,
            fwd__change="added rule 2: allow in proto tcp from any to any port 80",
            fwd__generation={"before": before["generation"], "after": after["generation"]},
            fwd__policy_hash={"before": before["policy"]["hash"], "after": after["policy"]["hash"]})
        self.assertIn("allow in 80/tcp comment web", field(record, "process.command_line"))

    def test_what_is_refused_is_on_record_too_and_what_changes_nothing_is_not(self):
        self.ctl(2, "allow", "in", "80/nonsense")
        self.ctl(1, "delete", "7")
        self.ctl(0, "allow", "in", "22/tcp")
        self.ctl(0, "list")
        syntax, missing = self.records(2, event__dataset="fwd.admin")
        self.assert_fields(syntax, event__outcome="failure", fwd__change="add a rule: allow in 80/nonsense")
        self.assert_fields(missing, event__outcome="failure", fwd__change="remove the rule 7")
        self.assertTrue(field(syntax, "event.reason") and field(missing, "event.reason"))
        self.assertEqual(*(field(missing, f"fwd.policy_hash.{when}") for when in ("before", "after")))

    def test_a_reload_by_signal_is_on_record_and_says_that_nobody_knows_who_asked_for_it(self):
        before = self.fwd.status()
        self.fwd.policy.write_text(self.policy + "allow in 81/tcp\n", encoding="utf-8")
        self.fwd.process.signal(signal.SIGHUP)
        self.fwd.wait_for_log("reloaded the policy", 5)
        after = self.fwd.status()
        record = self.records(1, event__dataset="fwd.admin")[0]
        self.assert_fields(
            record, event__action="reload", event__outcome="success", user__id="0", process__pid=after["pid"],
            fwd__change="reloaded the policy on a signal, whose sender isn't known: 2 rules, generation "
                        f"{after['generation']}",
            fwd__generation={"before": before["generation"], "after": after["generation"]},
            fwd__policy_hash={"before": before["policy"]["hash"], "after": after["policy"]["hash"]})

    def test_a_reload_of_a_broken_policy_is_on_record_with_its_error(self):
        self.fwd.policy.write_text("allow in 80/nonsense\n", encoding="utf-8")
        self.fwd.process.signal(signal.SIGHUP)
        record = self.records(1, event__dataset="fwd.admin")[0]
        self.assert_fields(record, event__action="reload", event__outcome="failure",
                           fwd__change="reload the policy on a signal, whose sender isn't known")
        self.assertIn("policy.fw:1", field(record, "event.reason"))
        self.assertEqual(*(field(record, f"fwd.policy_hash.{when}") for when in ("before", "after")))

    def test_a_user_without_the_right_is_named(self):
        self.fwd.socket.chmod(0o666)
        result = self.fwd.ctl("disable", user=12345, group=12345, extra_groups=[])
        self.assertEqual(result.returncode, 4, result.stderr)
        record = self.records(1, event__dataset="fwd.admin")[0]
        self.assert_fields(record, event__action="request", event__outcome="failure", user__id="12345",
                           fwd__change="POST /v1/disable")
        self.assertEqual(self.fwd.status()["enabled"], True)

    def test_many_refused_requests_of_a_user_are_few_records_with_exact_numbers(self):
        self.fwd.socket.chmod(0o666)
        requests = 3000
        flood = ("import http.client, socket, sys\n"
                 "class Http(http.client.HTTPConnection):\n"
                 "    def connect(self):\n"
                 "        self.sock = socket.socket(socket.AF_UNIX)\n"
                 "        self.sock.connect(sys.argv[1])\n"
                 "client = Http('fwd')\n"
                 "for _ in range(int(sys.argv[2])):\n"
                 "    client.request('POST', '/v1/disable')\n"
                 "    answer = client.getresponse()\n"
                 "    answer.read()\n"
                 "    assert answer.status == 403, answer.status\n")
        began = time.monotonic()
        result = self.server.run(["python3", "-c", flood, str(self.fwd.socket), str(requests)],
                                 user=12345, group=12345, extra_groups=[])
        seconds = time.monotonic() - began
        self.assertEqual(result.returncode, 0, result.stderr)

        def told():
            return sum(field(record, "fwd.requests") or 1 for record in self.fwd.audit(event__dataset="fwd.admin"))

        wait_until(lambda: told() >= requests, 5, "all requests are told")
        self.assertEqual(told(), requests)
        records = self.fwd.audit(event__dataset="fwd.admin")
        self.assertLessEqual(len(records), 2 * (seconds + 2))
        for record in records:
            self.assert_fields(record, event__action="request", event__outcome="failure", user__id="12345")
        self.assertLessEqual(self.fwd.process.output(9999).count("was refused"), len(records))
        self.assertEqual(self.fwd.status()["enabled"], True)

"""ufw's command lines work as they are, with `ufw` replaced by `fwctl`."""

import shlex

from harness import FwdTest

LINES = {
    "allow 22": "allow in 22",
    "allow 53/udp": "allow in 53/udp",
    "allow ssh": "allow in 22/tcp",
    "allow in http": "allow in 80/tcp",
    "deny out 25/tcp": "deny out 25/tcp",
    "reject in 113/tcp": "reject in 113/tcp",
    "limit ssh/tcp": "limit in 22/tcp",
    "allow 80,443,8080:8090/tcp": "allow in 80,443,8080:8090/tcp",
    "allow from 192.168.0.0/16": "allow in from 192.168.0.0/16",
    "deny proto tcp to any port 80": "deny in 80/tcp",
    "allow proto tcp from any to any port 80,443": "allow in 80,443/tcp",
    "deny proto tcp from 10.0.0.0/8 to 192.168.0.1 port 25": None,
    "deny proto tcp from 2001:db8::/32 to any port 25": None,
    "allow in on eth0 to any port 80 proto tcp": None,
    "allow in on eth0 from 192.168.0.0/16": None,
    "allow out on eth1 to 10.0.0.0/8": None,
    "allow 5432/tcp comment 'Service foo'": None,
    "allow log 2222/tcp": None,
    "deny from 203.0.113.101": None,
    "allow from 203.0.113.0/24 proto tcp to any port 22": None,
}
REFUSED = ["route allow in on eth0 out on eth1", "app list", "allow from example.com", "default deny incoming",
           "allow 'Apache Full'"]


class UfwLines(FwdTest):
    def test_each_line_adds_its_rule_and_delete_removes_it(self):
        empty = self.policy_text()
        for line in LINES:
            with self.subTest(line):
                self.ctl(0, *shlex.split(line))
                self.assertEqual(len(self.fwd.json("list")["rules"]), 1, line)
                self.ctl(0, "delete", *shlex.split(line))
                self.assertEqual(self.policy_text(), empty, line)

    def test_two_ways_to_say_the_same_are_the_same_rule(self):
        for line, other in LINES.items():
            if other:
                with self.subTest(line):
                    self.ctl(0, *shlex.split(line))
                    self.assertTrue(self.fwd.json(*shlex.split(other))["already"])
                    self.ctl(0, "delete", *shlex.split(other))

    def test_insert_and_delete_by_number(self):
        self.ctl(0, "allow", "80/tcp")
        self.ctl(0, "insert", "1", "deny", "to", "any", "port", "80", "from", "10.0.0.135", "proto", "tcp")
        self.ctl(0, "status", "numbered")
        self.assertEqual([rule["action"] for rule in self.fwd.json("list")["rules"]], ["deny", "allow"])
        self.ctl(0, "delete", "1")
        self.assertEqual([rule["action"] for rule in self.fwd.json("list")["rules"]], ["allow"])

    def test_what_is_not_supported_is_named(self):
        for line in REFUSED:
            with self.subTest(line):
                self.assertTrue(self.ctl(2, *shlex.split(line)).strip())

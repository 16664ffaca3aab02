"""What the integration tests share: two hosts on a cable, fwd on one of them, and the checks made all the time.

    client eth0  10.0.0.7  2001:db8:1::7   (a stranger)
                 10.0.0.12 2001:db8:1::12  (a peer)
    server eth0  10.0.0.11 2001:db8:1::11  (fwd runs here)
"""

import contextlib
import pathlib
import tempfile
import time
import unittest

from lab.firewall import Firewall, field
from lab.netns import Namespace, address, connect, left_behind
from lab.process import wait_until

SERVER = {4: "10.0.0.11", 6: "2001:db8:1::11"}
STRANGER = {4: "10.0.0.7", 6: "2001:db8:1::7"}
PEER = {4: "10.0.0.12", 6: "2001:db8:1::12"}
FAMILIES = (4, 6)
SHORT = 0.6  # seconds to wait for what must not come


class Hosts(unittest.TestCase):
    """Client and server, without fwd. All a test makes is gone after it, also when it fails."""

    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.addCleanup(self._clean_up)
        self.directory = pathlib.Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="fwd-test-")))
        self.directory.chmod(0o755)  # tests of permissions come in as another user
        self.client = self.host("client")
        self.server = self.host("server")
        connect(self.client, "eth0", self.server, "eth0")
        for family, length in ((4, 24), (6, 64)):
            # The stranger's is the source by default: IPv4's first address, IPv6's last one.
            for source in (STRANGER, PEER) if family == 4 else (PEER, STRANGER):
                address(self.client, "eth0", f"{source[family]}/{length}")
            address(self.server, "eth0", f"{SERVER[family]}/{length}")

    def host(self, name):
        """One more host, which lasts as long as the test."""
        return self.stack.enter_context(Namespace(name))

    def _clean_up(self):
        self.stack.close()
        self.assertEqual(left_behind(), [], "namespaces are left behind")

    def firewall(self, policy, settings="", name="fwd"):
        """A Firewall on the server that isn't started yet."""
        return Firewall(self.server, self.directory / name, policy, settings)


class FwdTest(Hosts):
    """The same with fwd running on the server under `policy`."""

    policy = "default deny in\n"
    settings = ""

    def setUp(self):
        super().setUp()
        self.fwd = self.firewall(self.policy, self.settings)
        self.stack.enter_context(self.fwd)

    def evidence(self):
        """What helps to understand a failure: the daemon's own words and the kernel's table."""
        log = self.fwd.process.output(30) if self.fwd.process else "(not started)"
        return f"--- fwd's log ---\n{log}--- policy ---\n{self.fwd.policy.read_text(encoding='utf-8')}"

    def ctl(self, expected_status, *arguments):
        """fwctl, whose exit status is checked; what it wrote, stdout and stderr in one."""
        result = self.fwd.ctl(*arguments)
        output = result.stdout + result.stderr
        self.assertEqual(result.returncode, expected_status, f"fwctl {' '.join(arguments)}\n{output}")
        return output

    def policy_text(self):
        return self.fwd.policy.read_text(encoding="utf-8")

    def records(self, count, **fields):
        """Audit records with these fields (source__ip=...), leaving out the ends of connections: exactly `count` of
        them, soon."""
        def matching():
            return [record for record in self.fwd.audit(**fields) if field(record, "event.dataset") != "fwd.flow"]

        with contextlib.suppress(TimeoutError):
            wait_until(lambda: len(matching()) >= count, 3, "audit records")
        if count == 0:
            time.sleep(SHORT)
        found = matching()
        self.assertEqual(len(found), count, f"audit records with {fields}: {found}")
        return found

    def assert_fields(self, record, **fields):
        """The record's dotted fields (event__action=...) have these values."""
        for name, value in fields.items():
            path = name.replace("__", ".")
            self.assertEqual(field(record, path), value, f"{path} of {record}")

    def assert_queue_rests(self):
        """Nothing is waiting in a queue, and nothing was lost there."""
        wait_until(lambda: all(queue.waiting == 0 for queue in self.fwd.queue_lines()), 2, "the queues are empty")
        for queue in self.fwd.queue_lines():
            self.assertEqual((queue.dropped, queue.user_dropped), (0, 0), queue)

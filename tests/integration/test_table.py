"""Others at the kernel's table, and changes of it under load."""

import socket
import struct
import time

from harness import SERVER, FwdTest, Hosts
from lab.process import Process, wait_until
from load import POLICY, Fault, Load
from traffic import is_open

NETLINK_NETFILTER = 12
QUEUE_CONFIG = 3 << 8 | 2  # NFNL_SUBSYS_QUEUE, NFQNL_MSG_CONFIG
REQUEST_WITH_ACK = 5
BIND = 1
NOTICED = 1.0  # seconds at most until it is noticed; then the table is written


class Taken(Fault):
    """While the table is away nobody filters: what came in meanwhile has to end."""

    def assert_restored_after(self, *commands):
        with Load(self.client, self.server, forbidden=False) as load:
            for number, command in enumerate(commands, 1):
                self.assertEqual(self.server.run(["nft", command]).returncode, 0, command)
                wait_until(lambda: len(self.fwd.audit(event__action="restore")) == number, NOTICED + 1, command)
                self.assertFalse(is_open(self.client, 4, SERVER[4], 8080), command)
                self.assertGreaterEqual(load.wait_for_new(3, 3), 3, command)
        self.assert_held(load)

    def test_a_table_that_somebody_removes_is_put_back(self):
        self.assert_restored_after("flush ruleset", "delete table inet fwd_policy")

    def test_a_table_that_somebody_empties_is_filled_again(self):
        self.assert_restored_after("flush table inet fwd_policy", "flush chain inet fwd_policy b_input",
                                   "flush chain inet fwd_policy a_rest_input", "flush chain inet fwd_policy b_rest_input",
                                   "flush set inet fwd_policy copy_allow", "flush set inet fwd_policy now_approved")

    def test_a_chain_that_somebody_gives_a_policy_has_its_own_again(self):
        self.assert_restored_after("chain inet fwd_policy a_input { policy drop; }", "chain inet fwd_policy b_output { policy drop; }")

    def test_nft_shows_marks_and_priorities_as_numbers_of_this_host(self):
        for name, generation in (("now_obeyed", "40:0"), ("now_approved", "0x41000000"), ("now_revoked", "0x81000000")):
            shown = self.server.run(["nft", "list", "set", "inet", "fwd_policy", name]).stdout
            self.assertIn(f"elements = {{ {generation} }}", shown)

    def test_other_tables_are_nobodys_business(self):
        self.server.run(["nft", "add table inet other { chain c { type filter hook input priority 5; }; }"])
        time.sleep(NOTICED)
        self.assertEqual(self.fwd.audit(event__action="restore"), [])
        self.assertEqual(self.fwd.status()["generation"], 1)


class Foreign(FwdTest):
    """Other tables that filter as well."""

    TABLES = """
        table inet empty { chain c { type filter hook input priority 5; }; }
        table ip nat { chain c { type nat hook output priority -100; ip daddr 192.0.2.1 counter; }; }
        table ip forwards { chain c { type filter hook forward priority 0; policy drop; }; }
        table bridge away { chain c { type filter hook input priority 0; policy drop; }; }
        table inet jumps { chain c { type filter hook input priority 5; jump d; }; chain d { counter; }; }
        table inet filter { chain i { type filter hook input priority 5; policy drop; ip ttl > 0 accept; };
                            chain o { type filter hook output priority 5; }; }
        table ip6 fwd_policy { chain o { type filter hook output priority 5; counter; };
                               chain i { type filter hook input priority 5; policy drop; }; }
    """

    def warnings(self):
        return sorted(warning for warning in self.fwd.status()["warnings"] if warning.startswith("table "))

    def test_status_names_each_table_that_may_drop_what_fwd_accepts(self):
        self.assertEqual(self.warnings(), [])
        tables = self.directory / "tables.nft"
        tables.write_text(self.TABLES, encoding="utf-8")
        result = self.server.run(["nft", "-f", str(tables)])
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.warnings(), [
            f"table {what}: what fwd accepts may still be dropped there"
            for what in ("inet filter also filters input", "inet jumps also filters input",
                         "ip6 fwd_policy also filters input and output")])
        self.assertIn("Warning: table inet filter also filters input: what fwd accepts may still be dropped there\n",
                      self.ctl(0, "status"))


class Edited(Fault):
    def test_a_broken_file_changes_nothing(self):
        broken = self.directory / "broken.fw"
        broken.write_text("default allow in\nalow in 22/tcp\n", encoding="utf-8")
        table = self.fwd.table()
        with self.load() as load:
            for _ in range(5):
                self.assertIn("broken.fw:2:1:", self.ctl(2, "apply", str(broken)))
            self.assertGreaterEqual(load.wait_for_new(3, 3), 3)
        self.assert_held(load)
        self.assertEqual(self.fwd.table(), table)


class QueueTaken(Hosts):
    def test_a_queue_that_another_program_has_is_named_and_the_table_stays(self):
        firewall = self.firewall(POLICY)
        with firewall:
            table = firewall.table()
        with self.server.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as holder:
            holder.bind((0, 0))
            attribute = struct.pack("=HH", 8, 1) + struct.pack("!BBH", BIND, 0, socket.AF_INET)
            body = struct.pack("!BBH", socket.AF_UNSPEC, 0, 1) + attribute
            holder.send(struct.pack("=IHHII", 16 + len(body), QUEUE_CONFIG, REQUEST_WITH_ACK, 1, 0) + body)
            self.assertEqual(struct.unpack("=i", holder.recv(4096)[16:20])[0], 0, "the queue is bound")
            with Process(self.server, firewall.command(), self.directory / "refused.log") as process:
                self.assertEqual(process.wait(10), 1)
                self.assertIn("queue 1 is already in use by another program", process.output())
        self.assertEqual(firewall.table(), table)
        with firewall:
            self.assertEqual(firewall.ctl("status").returncode, 0)

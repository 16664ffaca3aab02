"""The accounts of the audit log over very many connections, compared with what the kernel counts."""

from audit_log import chained, tally
from harness import PEER, FwdTest
from lab.firewall import field
from lab.process import wait_until
from test_audit_kill import PORT, Datagrams

REFUSED = PORT + 1
MANY = 100_000

_WITNESS = f"""
table inet witness {{
    counter arrived {{ }}
    chain incoming {{
        type filter hook input priority -10;
        udp dport {{ {PORT}, {REFUSED} }} ct state new counter name arrived
    }}
}}
"""


class Many(FwdTest):
    """The reference run: a hundred thousand connections, let in from one side and refused from another at once."""

    policy = f"default deny in\nallow in {PORT}/udp\ndeny in {REFUSED}/udp\n"
    settings = "shed_above = 0\n"

    def test_the_accounts_add_up_over_a_hundred_thousand_connections(self):
        made = self.server.run(["nft", "-f", "-"], input=_WITNESS)
        self.assertEqual(made.returncode, 0, made.stderr)
        with Datagrams(self.client, 0.001, 32) as allowed, \
                Datagrams(self.client, 0.001, 32, PEER[4], REFUSED) as refused:
            wait_until(lambda: min(allowed.sent, refused.sent) >= MANY // 2, 60, "a hundred thousand connections")
        wait_until(lambda: all(queue.waiting == 0 for queue in self.fwd.queue_lines()), 5, "the queues are empty")
        wait_until(lambda: self.fwd.get("/v1/audit")["counts"]["waiting"] == 0, 5, "all is told")

        counts = self.fwd.get("/v1/audit")["counts"]
        self.assertEqual(counts["decided"], counts["written"] + counts["folded"] + counts["lost"])
        arrived = self.arrived()
        self.assertGreaterEqual(arrived, MANY * 9 // 10)
        rules = {rule["text"]: rule["packets"] for rule in self.fwd.json("list")["rules"]}
        self.assertEqual(sum(rules.values()), arrived, rules)  # by the daemon and by the kernel's copy
        wait_until(lambda: len(self.episodes("fallback")) == len(self.episodes("recovery")), 10, "no episode is open")
        self.fwd.stop()
        lines = self.fwd.audit_file.read_bytes().splitlines(keepends=True)
        self.assertEqual(chained(lines), [])
        told = tally(lines)
        self.assertEqual(told, {name: counts[name] for name in told})
        copy = sum(field(record, "fwd.packets") for record in self.episodes("recovery"))
        self.assertEqual(sum(told.values()) + copy, arrived)

    def episodes(self, action):
        """Times when a queue was full, or the daemon late: the kernel's copy of the policy decided some."""
        return self.fwd.audit(event__dataset="fwd.health", event__action=action)

    def arrived(self):
        """The connections, as the kernel counts them before fwd sees them."""
        listing = self.server.run(["nft", "list", "counter", "inet", "witness", "arrived"]).stdout
        return int(listing.split("packets ")[1].split()[0])

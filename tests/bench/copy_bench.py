#!/usr/bin/python3
"""What a packet costs that the kernel's copy of the policy decides: ten rules against 10,000 of ClassBench's sets.

Nobody serves the queue. The set's own headers are sent to a host that takes every address for its own; its rules deny, so
that nothing but the decision is measured. What sending costs without any rules is taken off. Needs root and the shared data
(tests/support/shared_data.h)."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from bench import hosts  # noqa: E402
from bench.rows import Row, part_main, take_turns  # noqa: E402
from lab import netns  # noqa: E402

SETS = ("acl1", "fw1", "ipc1")


def tool(namespace, *arguments):
    """The tool's output; it runs on one CPU, where the kernel then also receives what is sent."""
    return hosts.succeed(namespace, "taskset", "1", hosts.program("copy"), *arguments)


def nanoseconds(name, rules, packets):
    """For each packet, on a server with so many rules of the set, or without a table."""
    with netns.Namespace("client") as client, netns.Namespace("server") as server:
        netns.connect(client, "flood0", server, "eth0")
        server.ip(f"link set eth0 address {hosts.SERVER_MAC}", "address add 10.0.0.1/8 dev eth0", "route add local default dev lo")
        for device in ("all", "eth0"):
            server.sysctl(f"net/ipv4/conf/{device}/rp_filter", 0)
            server.sysctl(f"net/ipv4/conf/{device}/accept_local", 1)
        if rules:
            tool(server, "load", name, rules)
        sent, seconds = map(float, tool(client, "send", name, "flood0", hosts.SERVER_MAC, packets).split())
        if rules:
            listing = server.run(["nft", "list", "counter", "inet", "fwd_policy", "copy_denied"]).stdout
            denied = int(listing.split("packets ")[1].split()[0])
            if denied < 0.9 * sent:
                raise RuntimeError(f"only {denied} of {sent:.0f} packets were decided by the copy")
        return seconds / sent * 1e9


def rows(options):
    with netns.Namespace("probe") as host:
        if host.run([hosts.program("copy"), "load", SETS[0], "1"]).returncode != 0:
            print("skipped: the kernel's copy on ClassBench's rules, which aren't here", flush=True)
            return
    packets, rounds = (30_000, 1) if options.quick else (200_000, options.rounds)
    for name in SETS[:1] if options.quick else SETS:
        costs = take_turns({rules: lambda rules=rules, name=name: nanoseconds(name, rules, packets) for rules in (0, 10, 10_000)},
                           rounds)
        yield Row(f"a packet decided by the kernel's copy, {name}, 10000", "ns", costs[10_000], costs[10], "10 rules")
        added = [[cost - bare for cost, bare in zip(costs[rules], costs[0])] for rules in (10_000, 10)]
        yield Row("  of that, what the table adds", "ns", *added, "10 rules")


if __name__ == "__main__":
    part_main(__doc__, rows)

#!/usr/bin/python3
"""What a packet costs that the kernel's copy of the policy decides: ten rules against 10,000 of ClassBench's sets.

Nobody serves the queue. The set's own headers are sent to a host that takes every address for its own; its rules deny, so
that nothing but the decision is measured. What sending costs without any rules is taken off. Needs root and the shared data
(tests/support/shared_data.h)."""

import argparse
import json
import os
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab import netns  # noqa: E402
from lab.firewall import build_directory  # noqa: E402

SERVER_MAC = "02:00:00:00:00:02"
SETS = ("acl1", "fw1", "ipc1")


def tool(namespace, *arguments):
    """The tool's output; it runs on one CPU, where the kernel then also receives what is sent."""
    argv = ["taskset", "1", str(build_directory() / "tests" / "bench" / "copy_tool"), *map(str, arguments)]
    result = namespace.run(argv)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: {result.stderr}")
    return result.stdout


def nanoseconds(name, rules, packets):
    """For each packet, on a server with so many rules of the set, or without a table."""
    with netns.Namespace("client") as client, netns.Namespace("server") as server:
        netns.connect(client, "flood0", server, "eth0")
        server.ip(f"link set eth0 address {SERVER_MAC}", "address add 10.0.0.1/8 dev eth0", "route add local default dev lo")
        for device in ("all", "eth0"):
            server.sysctl(f"net/ipv4/conf/{device}/rp_filter", 0)
            server.sysctl(f"net/ipv4/conf/{device}/accept_local", 1)
        if rules:
            tool(server, "load", name, rules)
        sent, seconds = map(float, tool(client, "send", name, "flood0", SERVER_MAC, packets).split())
        if rules:
            listing = server.run(["nft", "list", "counter", "inet", "fwd_policy", "copy_denied"]).stdout
            denied = int(listing.split("packets ")[1].split()[0])
            if denied < 0.9 * sent:
                raise RuntimeError(f"only {denied} of {sent:.0f} packets were decided by the copy")
        return seconds / sent * 1e9


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packets", type=int, default=300000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    results = {}
    for name in SETS:
        costs = {rules: statistics.median(nanoseconds(name, rules, arguments.packets) for _ in range(arguments.rounds))
                 for rules in (0, 10, 10000)}
        few, many = costs[10] - costs[0], costs[10000] - costs[0]
        results[name] = {"ten": costs[10], "many": costs[10000], "ratio": costs[10000] / costs[10], "ratio_of_added": many / few}
        print(f"{name}: {costs[0]:.0f} ns a packet with no table, {costs[10]:.0f} with 10 rules, {costs[10000]:.0f} with 10000: "
              f"{costs[10000] / costs[10]:.2f} times, of what the table adds {many / few:.2f} times", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("network namespaces need root")
    main()

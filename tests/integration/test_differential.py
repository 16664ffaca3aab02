"""Three engines, one meaning: the daemon, the kernel's copy of the policy and the linear matcher judge the same packets
alike. Policies are random, packets are real and lie on and just beside every edge of the rules.

FWD_TEST_SEED=N tries one policy, that of the seed, instead of the usual ones."""

import collections
import contextlib
import json
import os
import pathlib
import random
import re
import subprocess
import tempfile
import unittest

from lab.firewall import Firewall, build_directory
from lab.netns import Namespace, connect, left_behind
from recorder import SERVER_MAC, Packet, Recorder

_SEEDS = (1, 2, 3, 4, 5, 6, 7, 8)
_MOST_PACKETS = 2000  # of one policy
_INTERFACES = ("eth0", "eth1")
_HOST = (("net/ipv4/conf/all/rp_filter", 0), ("net/ipv4/conf/all/accept_local", 1),
         ("net/netfilter/nf_conntrack_checksum", 0))

_ACCEPTED_BEFORE = ("neighbour-discovery", "mld")  # by chains A and B: the copy counts none
_TOTALS = ("copy_allowed", "copy_denied")
_RULE_ID = re.compile("[0-9a-f]{16}")  # a built-in rule's is a name


def seeds():
    """The usual ones, and one that nobody has tried."""
    return (int(os.environ["FWD_TEST_SEED"], 0),) if "FWD_TEST_SEED" in os.environ else \
        (*_SEEDS, random.SystemRandom().getrandbits(32))


def oracle(*arguments, **options):
    """The lines that the oracle tool prints."""
    tool = build_directory() / "tests/integration/oracle_tool"
    return subprocess.run([str(tool), *map(str, arguments)], check=True, capture_output=True, text=True,
                          timeout=60, **options).stdout.splitlines()


class Lab:
    """A host with a policy, to which all packets are addressed; a context manager."""

    def __init__(self, directory, policy, packets):
        self._directory, self._policy, self._packets = directory, policy, packets

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            client, self._server = (stack.enter_context(Namespace(name)) for name in ("client", "server"))
            for scope in ("all", "default"):
                client.sysctl(f"net/ipv6/conf/{scope}/disable_ipv6", 1)  # the client says nothing of its own accord
            for interface in _INTERFACES:
                connect(client, interface, self._server, interface)
                # Nobody is looked for by ARP: most sources don't exist.
                self._server.ip(f"link set {interface} address {SERVER_MAC} arp off")
            self._recorder = stack.enter_context(Recorder(client, self._server, _INTERFACES))
            own = {packet.target for packet in self._packets}
            self._server.run(["ip", "-batch", "-"], input="".join(f"address add {entry} dev lo\n" for entry in own))
            self._server.ip("route add default dev eth0", "-6 route add default dev eth0")
            self._firewall = stack.enter_context(Firewall(self._server, self._directory, self._policy))
            for name, value in _HOST:
                self._server.sysctl(name, value)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def by_daemon(self):
        """Whether each packet comes through."""
        return self._recorder.arrivals(self._packets, self._queue_is_empty)

    def decided(self):
        """By rule, how many packets the daemon has decided by it; those of none are left out."""
        counts = collections.Counter()
        for rule in self._firewall.json("list")["rules"]:
            counts[rule["id"]] += rule["packets"]
        return +counts

    def by_copy(self):
        self._firewall.kill()
        return self._recorder.arrivals(self._packets, lambda: True)

    def _queue_is_empty(self):
        return all(queue.waiting == 0 for queue in self._firewall.queue_lines())

    def copied(self):
        """How many packets the kernel's copy has decided, by counter; those that counted none are left out."""
        listing = self._server.run(["nft", "-j", "list", "counters", "table", "inet", "fwd_policy"]).stdout
        counters = [entry["counter"] for entry in json.loads(listing)["nftables"] if "counter" in entry]
        return {counter["name"]: counter["packets"] for counter in counters if counter["packets"]}


Judgement = collections.namedtuple("Judgement", "packet decision answers")


def differing(judged):
    return [each for each in judged if len(set(each.answers.values())) > 1]


class Differential(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="fwd-test-")))
        self.addCleanup(lambda: self.assertEqual(left_behind(), [], "namespaces are left behind"))
        self.labs = 0

    def judgements(self, policy, lines):
        """What the three engines say to each packet."""
        self.labs += 1
        file = self.directory / "oracle.fw"
        file.write_text(policy, encoding="utf-8")
        decisions = [line.split() for line in oracle("decide", file, input="".join(f"{line}\n" for line in lines))]
        with Lab(self.directory / f"lab{self.labs}", policy, [Packet(line) for line in lines]) as lab:
            by_daemon = lab.by_daemon()
            self.assertEqual(lab.copied(), {}, "the copy decided in the daemon's place")
            decided = lab.decided()
            by_copy = lab.by_copy()
            copied = lab.copied()
        judged = [Judgement(line, decision, {"oracle": decision[0] == "allow", "daemon": daemon, "copy": copy})
                  for line, decision, daemon, copy in zip(lines, decisions, by_daemon, by_copy)]
        return judged, decided, copied

    def reduced(self, policy, packet):
        """As few lines of the policy as the engines still disagree on."""
        lines = policy.splitlines(keepends=True)
        size = len(lines) // 2
        while size:
            start = 0
            while start < len(lines):
                fewer = lines[:start] + lines[start + size:]
                if self.still_disagree("".join(fewer), packet):
                    lines = fewer
                else:
                    start += size
            size //= 2
        return "".join(lines)

    def still_disagree(self, policy, packet):
        try:
            return bool(differing(self.judgements(policy, [packet])[0]))
        except subprocess.CalledProcessError:  # not a policy: a set is gone that a rule names
            return False

    def check_verdicts(self, seed, policy, judged):
        wrong = differing(judged)
        if not wrong:
            return
        packet, decision, answers = wrong[0]
        self.fail(f"FWD_TEST_SEED={seed}: {len(wrong)} of {len(judged)} packets are judged differently, e.g.\n"
                  f"{packet}\nlet through by: {answers}; the oracle: {' '.join(decision)}\n"
                  f"--- policy ---\n{policy}--- as little of it as shows that ---\n{self.reduced(policy, packet)}")

    def check_rules(self, what, judged, decided, copied):
        """Daemon and copy found the very rules that the oracle did."""
        expected = collections.Counter(each.decision[1] if len(each.decision) > 1 else "" for each in judged)
        by_rule = {rule: count for rule, count in expected.items() if _RULE_ID.fullmatch(rule)}
        self.assertEqual(decided, by_rule, what)
        by_counter = {f"rule_{rule}" if rule else "default_input": count for rule, count in expected.items()
                      if rule not in _ACCEPTED_BEFORE}
        self.assertEqual({name: count for name, count in copied.items() if name not in _TOTALS}, by_counter,
                         what)

    def test_three_engines_judge_alike(self):
        for seed in seeds():
            policy = "".join(f"{line}\n" for line in oracle("policy", seed))
            file = self.directory / "policy.fw"
            file.write_text(policy, encoding="utf-8")
            lines = oracle("packets", file, seed, _MOST_PACKETS)
            self.assertGreater(len(lines), 20)
            judged, decided, copied = self.judgements(policy, lines)
            self.check_verdicts(seed, policy, judged)
            self.check_rules(f"FWD_TEST_SEED={seed}\n{policy}", judged, decided, copied)

#!/usr/bin/python3
"""How long changes take: one rule, as a command and to its effect, the whole policy, a set of a million addresses
and one member of it, against nft on the same policy and the same kind of set, and against the kernel's own time for the bare
sendmsg. Needs root."""

import contextlib
import itertools
import os
import pathlib
import queue
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from bench import hosts  # noqa: E402
from bench.rows import Row, part_main, take_turns  # noqa: E402
from lab.netns import Namespace  # noqa: E402

MEMBERS = 1_000_000
_NETLINK_NETFILTER = 12
_GROUP_NFTABLES = 7  # NFNLGRP_NFTABLES
LITTLE = "allow in 80/tcp\n"
PER_LINE = 100  # of which MEMBERS is a multiple
EDITS = 15  # in each round of other rows: single ones differ by half
STEP = 4  # between members, so that no two of them touch


def timed(action, *arguments, **options):
    """Milliseconds."""
    start = time.monotonic()
    action(*arguments, **options)
    return (time.monotonic() - start) * 1e3


class Bench:
    """A context manager: fwd in one namespace, nft's table in another, a folder for their files, which may be wanted elsewhere than
    among temporary ones."""

    def __init__(self, fwd_text, nft_text, parent=None):
        self.stack = contextlib.ExitStack()
        self.texts = fwd_text, nft_text
        self.parent = parent

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(dir=self.parent)))
            self.nft_host = stack.enter_context(Namespace("nft"))
            self.load_nft(self.texts[1])
            host = stack.enter_context(Namespace("fwd"))
            self.fwd = stack.enter_context(hosts.Daemon(host, self.directory / "fwd", 0, text=self.texts[0]))
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def ctl(self, *arguments):
        hosts.succeed(self.fwd.namespace, *self.fwd.ctl_argv(*arguments))

    def apply(self, text):
        file = self.directory / "new.fw"
        file.write_text(text, encoding="ascii")
        return timed(self.ctl, "apply", str(file))

    def nft(self, *arguments):
        hosts.succeed(self.nft_host, "nft", *arguments)

    def load_nft(self, text):
        file = self.directory / "new.nft"
        file.write_text(text, encoding="ascii")
        return timed(self.nft, "-f", file)

    def fsync(self):
        """Of a file as large as the policy, put in its place as fwd does it."""
        text = self.fwd.policy.read_bytes()
        file = self.fwd.policy.with_suffix(".bench")
        start = time.monotonic()
        with open(file, "wb") as out:
            out.write(text)
            os.fsync(out.fileno())
        file.rename(self.fwd.policy.with_suffix(".renamed"))
        folder = os.open(self.fwd.policy.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
        return (time.monotonic() - start) * 1e3


class Moments:
    """A context manager: when rules have come into a host's tables, as the kernel tells its listeners at the end of a transaction."""

    _NEW_RULE = 10 << 8 | 6  # NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWRULE: leases bring elements only

    def __init__(self, namespace):
        self._socket = namespace.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)
        self._socket.bind((0, 1 << _GROUP_NFTABLES - 1))
        self._socket.settimeout(0.2)
        self._moments = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._over = False

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over = True
        self._thread.join()
        self._socket.close()

    def _listen(self):
        while not self._over:
            with contextlib.suppress(TimeoutError):
                messages = self._socket.recv(1 << 20)
                now = time.monotonic()
                if self._tells_of_a_rule(messages):
                    self._moments.put(now)

    def _tells_of_a_rule(self, messages):
        at = 0
        while at < len(messages):
            length, kind = struct.unpack_from("=IH", messages, at)
            if kind == self._NEW_RULE:
                return True
            at += (length + 3) & ~3
        return False

    def of(self, command, *arguments):
        """Milliseconds from the start of the command to its effect, and to its end."""
        while not self._moments.empty():
            self._moments.get()  # one transaction may be told in several parts
        start = time.monotonic()
        command(*arguments)
        end = time.monotonic()
        try:
            return (self._moments.get(timeout=5) - start) * 1e3, (end - start) * 1e3
        except queue.Empty:
            raise RuntimeError("the kernel told of no new rule") from None


def start_of(bench):
    """Milliseconds until fwctl has something to say."""
    start = time.monotonic()
    with bench.fwd.namespace.popen(bench.fwd.ctl_argv("version"), stdout=subprocess.PIPE) as fwctl:
        fwctl.stdout.read(1)
        return (time.monotonic() - start) * 1e3


def effect_rows(options, rules):
    """Until the kernel has gone over, from when on no verdict by what was in force before is obeyed. The policy's file lies in
    memory: what its fsync takes can't be told from what is done meanwhile."""
    source = (f"198.18.{number // 256}.{number % 256}" for number in itertools.count(1))
    network = (f"10.{number}.0.0/20" for number in itertools.count(1))
    with (Bench(hosts.policy("fwd", rules), hosts.policy("nft", rules), parent="/dev/shm") as bench,
          Moments(bench.fwd.namespace) as ours, Moments(bench.nft_host) as theirs):
        values = take_turns({
            "allow": lambda: ours.of(bench.ctl, "insert", "1", "allow", "from", next(source)),
            "deny": lambda: ours.of(bench.ctl, "insert", "1", "deny", "from", next(source)),
            "of a network": lambda: ours.of(bench.ctl, "insert", "1", "allow", "from", next(network)),
            "nft": lambda: theirs.of(bench.nft, "insert", "rule", "inet", "bench", "input", "ip", "saddr", next(source), "drop"),
            "start": lambda: start_of(bench),
        }, EDITS * options.rounds)
    nft_effect, nft_end = zip(*values["nft"])
    for action in ("allow", "deny", "of a network"):
        effect = [effect for effect, _ in values[action]]
        rest = [max(all_of_it - start, 0.001) for all_of_it, start in zip(effect, values["start"])]
        yield Row(f"one rule ({action}) into {rules}, to its effect", "ms", effect, list(nft_effect), "nft's to its effect")
        yield Row("  without fwctl's start", "ms", rest, list(nft_end), "nft insert rule", most=1 / 3 if rules == 10_000 else None,
                  note="file in memory")
    yield Row("  fwctl's own start", "ms", values["start"])


def rule_rows(options, rules):
    source = (f"198.18.{number // 256}.{number % 256}" for number in itertools.count(1))
    network = (f"10.{number}.0.0/20" for number in itertools.count(1))
    with Bench(hosts.policy("fwd", rules), hosts.policy("nft", rules)) as bench:
        values = take_turns({
            "allow": lambda: timed(bench.ctl, "insert", "1", "allow", "from", next(source)),
            "deny": lambda: timed(bench.ctl, "insert", "1", "deny", "from", next(source)),
            "of a network": lambda: timed(bench.ctl, "insert", "1", "allow", "from", next(network)),
            "nft": lambda: timed(bench.nft, "insert", "rule", "inet", "bench", "input", "ip", "saddr", next(source), "drop"),
            "start": lambda: timed(bench.ctl, "version"),
            "fsync": bench.fsync,
        }, EDITS * options.rounds)
    for action in ("allow", "deny", "of a network"):
        rest = [max(whole - start - fsync, 0.001) for whole, start, fsync in zip(values[action], values["start"], values["fsync"])]
        yield Row(f"one rule ({action}) into {rules}, whole command", "ms", values[action], values["nft"], "nft insert rule")
        yield Row("  without fwctl's start and the file's fsync", "ms", rest, values["nft"], "nft insert rule")
    yield Row("  fwctl's own start", "ms", values["start"])
    yield Row("  the policy file's write and fsync", "ms", values["fsync"])


def load_rows(options, rules):
    with Bench(LITTLE, "") as bench:
        def apply():
            bench.apply(LITTLE)
            return bench.apply(hosts.policy("fwd", rules))

        values = take_turns({"fwd": apply, "nft": lambda: bench.load_nft(hosts.policy("nft", rules))}, options.rounds)
    yield Row(f"loading {rules} rules", "ms", values["fwd"], values["nft"], "nft -f")


def member(kind, number):
    address = (1 << 24) + STEP * number
    text = ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0))
    return text if kind == "hash" else f"{text}/31"


def set_texts(kind, members):
    # As short as can be: a policy's text has a limit.
    addresses = ",\n".join(",".join(member(kind, number) for number in range(at, at + PER_LINE))
                           for at in range(0, members, PER_LINE))
    flags = "" if kind == "hash" else "flags interval; "
    fwd = f"set big = {{ {addresses} }}\ndeny in from @big\n"
    nft = (f"table inet bench\ndelete table inet bench\ntable inet bench {{\nset big {{ type ipv4_addr; {flags}elements = {{ "
           f"{addresses} }}; }}\nchain input {{ type filter hook input priority 0; ip saddr @big drop; }}\n}}\n")
    return fwd, nft


def set_rows(options, kind, members):
    """fwd makes the hash table of a large set as large as it needs to be, nft, which isn't told a size, one that grows: the bare
    sendmsg is measured with both."""
    fwd_text, nft_text = set_texts(kind, members)
    following = itertools.count(members + 10)
    large = members == MEMBERS
    settle = hosts.settle if large else lambda: None
    with Bench(LITTLE, "") as bench:
        def bare(kind):
            settle()
            with Namespace("bare") as host:
                return [float(part) for part in hosts.succeed(host, hosts.program("set"), kind, members).split()]

        def apply():
            bench.apply(LITTLE)
            settle()
            return bench.apply(fwd_text)

        def load():
            settle()
            return bench.load_nft(nft_text)

        as_nft = "growing" if kind == "hash" else kind
        sides = {"fwd": apply, "nft": load}
        sides |= {name: lambda name=name: bare(name) for name in (kind, as_nft)}
        whole = take_turns(sides, 1 if options.quick else 5)
        yield Row(f"a set of {members} addresses ({kind})", "ms", whole["fwd"], whole["nft"], "nft -f")
        if as_nft != kind:
            growing, _ = zip(*whole[as_nft])
            yield Row("  the same", "ms", whole["fwd"], growing, "the bare sendmsg, as nft makes the set")
        # What the gate is on differs by half from one time to the next.
        more = take_turns({name: sides[name] for name in ("fwd", kind)}, 10 if large else 0)
        ours = whole["fwd"] + more["fwd"]
        kernel, kernel_one = zip(*whole[kind], *more[kind])
        yield Row("  the same", "ms", ours, kernel, "the bare sendmsg, as fwd makes it", most=1.3 if large else None)
        add = {"fwd": lambda: timed(bench.ctl, "set", "add", "big", member(kind, next(following))),
               "nft": lambda: timed(bench.nft, "add", "element", "inet", "bench", "big", "{", member(kind, next(following)), "}")}
        # nft reads all ranges first, which takes a minute for a million.
        once = kind == "interval" and large
        one = take_turns(add, 1 if once else options.rounds)
    yield Row(f"one member more ({kind})", "ms", one["fwd"], one["nft"], "nft add element", note="once" if once else "")
    yield Row("  the kernel's own time for it", "ms", kernel_one)


def or_say(found):
    """The rows, as far as fwd gets: what it can't do is told, and the next ones are measured."""
    try:
        yield from found
    except (RuntimeError, TimeoutError, subprocess.TimeoutExpired) as error:
        print(f"left out: {str(error).strip()}", flush=True)


def rows(options):
    if not hosts.is_there("nft"):
        return
    for rules in [10_000] if options.quick else [10_000, 100_000]:
        yield from or_say(effect_rows(options, rules))
        yield from or_say(rule_rows(options, rules))
        yield from or_say(load_rows(options, rules))
    for kind in ("hash", "interval"):
        yield from or_say(set_rows(options, kind, 100_000 if options.quick else MEMBERS))


if __name__ == "__main__":
    part_main(__doc__, rows)

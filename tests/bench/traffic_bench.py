#!/usr/bin/python3
"""Real traffic through fwd, through an nftables policy of the same meaning, through a loop that accepts every new connection, and
through nothing: connections a second to nginx, bulk throughput, and the latency of requests on open connections. Needs root,
nginx, wrk and iperf3."""

import contextlib
import json
import os
import pathlib
import re
import statistics
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from bench import hosts  # noqa: E402
from bench.rows import Row, part_main, take_turns, take_turns_of_new  # noqa: E402
from lab.process import Process  # noqa: E402
from lab.services import wait_for_port  # noqa: E402

SERVER_CPU, CLIENT_CPU = hosts.first_and_last_cpu()  # of what isn't the firewall; it has all of them
_BULK_PORT = 5201  # iperf3's
_PORTS = "1024 65535"
_SLICE = 6  # milliseconds: much happens to the machine in a second, little from one slice to the next
_CONNECTIONS_SLICE = 250  # likewise: two windows and a half of a worker's, of which the first is without pauses (fwd/engine/pace.h)
_FEW_PORTS = "1024 9215"  # connect() takes every other one, and all have been taken once before the first round is over
_LONG_SLICE = 50  # likewise: some thousand requests
# The one client opens more connections a second than the default: the kernel's copy would be measured.
_NOBODY_IS_SHED = "shed_above = 10000000\n"
_NGINX = """
daemon off;
user root;
worker_processes 1;
pid {directory}/nginx.pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 10000000;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  server {{
    listen 80 backlog=4096;
    location / {{ default_type text/plain; return 200 "hello\\n"; }}
  }}
}}
"""


@contextlib.contextmanager
def site(firewall, rules, receiver=("iperf3", "-s")):
    """A pair of hosts whose server runs nginx and the receiver behind `firewall`: "none", "nft", "bare" or "fwd"."""
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        pair = stack.enter_context(hosts.Pair())
        pair.client.sysctl("net/ipv4/ip_local_port_range", _PORTS)
        if firewall == "nft":
            hosts.load_nft(pair.server, directory, rules)
        if firewall == "bare":
            hosts.succeed(pair.server, hosts.program("queue_rule"), 0)
            stack.enter_context(Process(pair.server, [hosts.program("accept_loop"), "0"], directory / "bare.log"))
        # A queue for each processor, as fwd has by itself.
        queues = f"0:{os.cpu_count() - 1}"
        daemon = None
        if firewall == "fwd":
            daemon = stack.enter_context(hosts.Daemon(pair.server, directory, rules, queues, settings=_NOBODY_IS_SHED))
        (directory / "nginx.conf").write_text(_NGINX.format(directory=directory), encoding="ascii")
        nginx = ["nginx", "-e", "stderr", "-p", str(directory), "-c", str(directory / "nginx.conf")]
        for argv, port in ((nginx, 80), (receiver, _BULK_PORT)):
            with hosts.on_cpu(SERVER_CPU):
                process = stack.enter_context(Process(pair.server, argv, directory / f"{port}.log"))
            wait_for_port(pair.server, port, process)
        before = daemon.queued_packets() if daemon else 0
        pair.daemon = daemon
        yield pair
        if daemon and daemon.queued_packets() == before:
            raise RuntimeError("nothing went through fwd")


def run_client(pair, *argv):
    """The output of a program of the client's, which has a CPU apart from the server's programs."""
    with hosts.on_cpu(CLIENT_CPU):
        return hosts.succeed(pair.client, *argv)


def wrk(pair, seconds, *options):
    return run_client(pair, "wrk", "-t1", f"-d{seconds}s", *options, f"http://{hosts.SERVER}/")


def connections_per_second(pair):
    hosts.forget_connections(pair.server, pair.daemon and pair.daemon.process)
    output = wrk(pair, 1, "-c64", "-H", "Connection: close")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])


def gigabits(pair):
    """A second of one connection."""
    output = run_client(pair, "iperf3", "-c", hosts.SERVER, "-t", 1, "-J")
    return json.loads(output)["end"]["sum_received"]["bits_per_second"] / 1e9


def by_turns(firewalls, receiver, tool, port, *options, command=(), ports=_PORTS):
    """What the tool measures of some hosts in slices by turns: a list for each firewall, of each round's numbers."""
    with contextlib.ExitStack() as stack:
        pairs = [stack.enter_context(site(firewall, 10, receiver)) for firewall in firewalls]
        for pair in pairs:
            pair.client.sysctl("net/ipv4/tcp_slow_start_after_idle", 0)  # while the others have their turns
            pair.client.sysctl("net/ipv4/ip_local_port_range", ports)
        output = run_client(pairs[0], hosts.program(tool), *command, hosts.SERVER, port, *options,
                            *(pair.client.name for pair in pairs))
    rounds = [[float(number) for number in line.split()] for line in output.splitlines()]
    numbers = len(rounds[0]) // len(firewalls)
    return [[line[at:at + numbers] for line in rounds] for at in range(0, len(rounds[0]), numbers)]


class Compared:
    """Hosts with the same firewall differ by some thousandths: so they are made anew, in another order, and each set of them is
    one round of the rows, of many slices: theirs is the slices' median, ours that times the median of the ratios to each of theirs."""

    def __init__(self):
        self.ours, self.theirs, self.one, self.other = [], [], [], []

    def add(self, ours, one, other):
        """Of one set: each round's number."""
        typical = statistics.median(one + other)
        self.theirs.append(typical)
        self.ours.append(typical * statistics.median(mine / their for theirs in (one, other) for mine, their in zip(ours, theirs)))
        self.other.append(typical)
        self.one.append(typical * statistics.median(first / second for first, second in zip(one, other)))

    def rows(self, name, unit, **gate):
        yield Row(name, unit, self.ours, self.theirs, "nftables", **gate)
        yield Row("  nftables on two hosts", unit, self.one, self.other, "each other")


def sets_of_hosts(sets, measure):
    """Of each set what measure(firewalls) found, fwd's first."""
    for number in range(sets):
        firewalls = ["nft", "nft"]
        firewalls.insert(number % 3, "fwd")
        found = measure(firewalls)
        yield found.pop(firewalls.index("fwd")), *found


def bulk_rows(options):
    sets, rounds = (2, 100) if options.quick else (6, 700)
    receiver = [hosts.program("bulk"), "receive", str(_BULK_PORT)]
    rates = Compared()
    for found in sets_of_hosts(sets, lambda names: by_turns(names, receiver, "bulk", _BULK_PORT, _SLICE, rounds, command=["send"])):
        rates.add(*([rate for rate, in rounds_of_one] for rounds_of_one in found))
    yield from rates.rows("bulk throughput of one connection", "Gb/s", least=0.99)


def latency_rows(options):
    sets, rounds = (2, 8) if options.quick else (6, 100)
    receiver = [hosts.program("bulk"), "receive", str(_BULK_PORT)]  # of nothing
    half, most, whole = Compared(), Compared(), Compared()
    for found in sets_of_hosts(sets, lambda names: by_turns(names, receiver, "latency", 80, _LONG_SLICE, rounds)):
        slices, all_slices = zip(*((host[:-1], host[-1]) for host in found))
        half.add(*([one for one, _ in host] for host in slices))
        most.add(*([one for _, one in host] for host in slices))
        whole.add(*([one] for _, one in all_slices))
    yield from half.rows("latency of a request, open connection, p50", "us")
    yield from most.rows("latency of a request, open connection, p99", "us", most=1.05, note="of 50 ms each")
    yield from whole.rows("  of the requests of all slices", "us")


def connection_rows(options):
    sets, rounds = (2, 3) if options.quick else (8, 18)
    receiver = [hosts.program("bulk"), "receive", str(_BULK_PORT)]  # of nothing
    rates = Compared()
    for found in sets_of_hosts(sets, lambda names: by_turns(names, receiver, "connect", 80, _CONNECTIONS_SLICE, rounds, ports=_FEW_PORTS)):
        rates.add(*([rate for rate, in host] for host in found))
    yield from rates.rows("connections a second to nginx, 10 rules", "/s", least=0.95)


def wrk_rows(options, sizes):
    firewalls = [("none", 0), ("bare", 0), *((name, rules) for rules in sizes for name in ("nft", "fwd"))]
    values = take_turns_of_new(firewalls, lambda one: site(*one), lambda _, pair: connections_per_second(pair),
                               *((1, 1) if options.quick else (2, 2)))
    for rules in sizes:
        mine, theirs = values["fwd", rules], values["nft", rules]
        yield Row(f"connections a second by wrk, {rules} rules", "/s", mine, values["none", 0], "no firewall")
        yield Row(f"connections a second by wrk, {rules} rules", "/s", mine, theirs, "nftables", least=1.0 if rules >= 1000 else None)
    few = sizes[0]
    yield Row("  the bare loop, which accepts all", "/s", values["bare", 0], values["nft", few], f"nftables, {few} rules")
    yield Row(f"  fwd, {few} rules", "/s", values["fwd", few], values["bare", 0], "the bare loop")


def iperf_rows(options):
    with site("nft", 10) as theirs, site("fwd", 10) as mine:
        values = take_turns({"fwd": lambda: gigabits(mine), "nft": lambda: gigabits(theirs)}, 6 * options.rounds)
    yield Row("  by iperf3, a second each", "Gb/s", values["fwd"], values["nft"], "nftables")


def rows(options):
    if not hosts.is_there("nginx", "wrk", "iperf3", "nft"):
        return
    yield from connection_rows(options)
    yield from wrk_rows(options, [10_000] if options.quick else [10, 1000, 10_000])
    yield from bulk_rows(options)
    if not options.quick:
        yield from iperf_rows(options)
    yield from latency_rows(options)


if __name__ == "__main__":
    part_main(__doc__, rows)

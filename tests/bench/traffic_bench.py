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
from bench.rows import Row, part_main, take_turns  # noqa: E402
from lab.process import Process  # noqa: E402
from lab.services import wait_for_port  # noqa: E402

SERVER_CPU, CLIENT_CPU = hosts.first_and_last_cpu()  # of what isn't the firewall; it has all of them
_BULK_PORT = 5201  # iperf3's
_SLICE = 6  # milliseconds: much happens to the machine in a second, little from one slice to the next
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
        pair.client.sysctl("net/ipv4/ip_local_port_range", "1024 65535")
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
        yield pair
        if daemon and daemon.queued_packets() == before:
            raise RuntimeError("nothing went through fwd")


def run_client(pair, *argv):
    """The output of a program of the client's, which has a CPU apart from the server's programs."""
    with hosts.on_cpu(CLIENT_CPU):
        return hosts.succeed(pair.client, *argv)


def wrk(pair, seconds, *options):
    return run_client(pair, "wrk", "-t1", f"-d{seconds}s", *options, f"http://{hosts.SERVER}/")


def connections_per_second(pair, seconds):
    hosts.forget_connections(pair.server)
    output = wrk(pair, seconds, "-c64", "-H", "Connection: close")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])


def latency(pair, seconds):
    """Microseconds: the median, and what 99 of 100 requests stay below."""
    output = wrk(pair, seconds, "-c8", "--latency")
    unit = {"us": 1, "ms": 1e3, "s": 1e6}
    found = {percent: float(number) * unit[name] for percent, number, name in re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s)\b", output)}
    return {"p50": found["50"], "p99": found["99"]}


def gigabits(pair):
    """A second of one connection."""
    output = run_client(pair, "iperf3", "-c", hosts.SERVER, "-t", 1, "-J")
    return json.loads(output)["end"]["sum_received"]["bits_per_second"] / 1e9


def bulk_rates(firewalls, rounds):
    """Gigabits a second of one connection to each of some hosts, by turns: a list for each firewall, of the rounds."""
    receiver = [hosts.program("bulk"), "receive", str(_BULK_PORT)]
    with contextlib.ExitStack() as stack:
        pairs = [stack.enter_context(site(firewall, 10, receiver)) for firewall in firewalls]
        for pair in pairs:
            pair.client.sysctl("net/ipv4/tcp_slow_start_after_idle", 0)  # while the others have their turns
        output = run_client(pairs[0], hosts.program("bulk"), "send", hosts.SERVER, _BULK_PORT, _SLICE, rounds,
                            *(pair.client.name for pair in pairs))
    return zip(*([float(rate) for rate in line.split()] for line in output.splitlines()))


def bulk_rows(options):
    """Hosts with the same firewall differ by some thousandths: so they are made anew, in another order, and each set of them is
    one round of the row, of many slices: theirs is the slices' median, ours that times the median of the ratios."""
    sets, rounds = (2, 250) if options.quick else (6, 700)
    mine, theirs, one, other = [], [], [], []
    for number in range(sets):
        firewalls = ["nft", "nft"]
        firewalls.insert(number % 3, "fwd")
        rates = list(bulk_rates(firewalls, rounds))
        ours = rates.pop(firewalls.index("fwd"))
        reference = [statistics.mean(pair) for pair in zip(*rates)]
        theirs.append(statistics.median(reference))
        mine.append(theirs[-1] * statistics.median(rate / both for rate, both in zip(ours, reference)))
        other.append(theirs[-1])
        one.append(theirs[-1] * statistics.median(first / second for first, second in zip(*rates)))
    yield Row("bulk throughput of one connection", "Gb/s", mine, theirs, "nftables", least=0.99)
    yield Row("  nftables on two hosts", "Gb/s", one, other, "each other")


def connection_rows(options, sizes):
    seconds = 1 if options.quick else 2
    with contextlib.ExitStack() as stack:
        sites = {(name, 0): stack.enter_context(site(name, 0)) for name in ("none", "bare")}
        for rules in sizes:
            for firewall in ("nft", "fwd"):
                sites[firewall, rules] = stack.enter_context(site(firewall, rules))
        values = take_turns({key: lambda pair=pair: connections_per_second(pair, seconds) for key, pair in sites.items()},
                            options.rounds)
    for rules in sizes:
        mine = values["fwd", rules]
        yield Row(f"connections a second to nginx, {rules} rules", "/s", mine, values["none", 0], "no firewall")
        yield Row(f"connections a second to nginx, {rules} rules", "/s", mine, values["nft", rules], "nftables",
                  least=0.95 if rules < 1000 else 1.0)
    fewest = sizes[0]
    yield Row("  the bare loop, which accepts all", "/s", values["bare", 0], values["nft", fewest], f"nftables, {fewest} rules")
    yield Row(f"  fwd, {fewest} rules", "/s", values["fwd", fewest], values["bare", 0], "the bare loop")


def established_rows(options):
    rounds = options.rounds if options.quick else 30  # many short ones: what disturbs spoils few
    with site("nft", 10) as theirs, site("fwd", 10) as mine:
        sides = {"nft": theirs, "fwd": mine}
        delay = take_turns({name: lambda pair=pair: latency(pair, 1) for name, pair in sides.items()}, rounds)
        if not options.quick:
            bulk = take_turns({name: lambda pair=pair: gigabits(pair) for name, pair in sides.items()}, rounds)
            yield Row("  by iperf3, a second each", "Gb/s", bulk["fwd"], bulk["nft"], "nftables")
    for percentile, most in (("p50", None), ("p99", 1.05)):
        mine, theirs = ([value[percentile] for value in delay[name]] for name in ("fwd", "nft"))
        yield Row(f"latency of a request, open connection, {percentile}", "us", mine, theirs, "nftables", most, quietest=True,
                  note="of the quietest rounds")


def rows(options):
    if not hosts.is_there("nginx", "wrk", "iperf3", "nft"):
        return
    yield from connection_rows(options, [10, 10_000] if options.quick else [10, 1000, 10_000])
    yield from bulk_rows(options)
    yield from established_rows(options)


if __name__ == "__main__":
    part_main(__doc__, rows)

#!/usr/bin/python3
"""What a verdict costs: the daemon, the engine alone and a bare accept-everything loop under the same flood of new flows.

Every subject has namespaces of its own, made anew some times; they are measured in turns. Steady: CPU time of the subject's process
for each verdict (all its threads, the kernel's work for them and the audit log included) at the same offered load.
Saturated: verdicts a second while a queue that filled when the subject was stopped empties. Needs root."""

import argparse
import contextlib
import os
import pathlib
import socket
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from bench import hosts  # noqa: E402
from bench.hosts import SERVER, SERVER_MAC, cpu_seconds, first_and_last_cpu, on_cpu  # noqa: E402
from bench.rows import HEAD, Options, Row, line, take_turns_of_new  # noqa: E402
from lab.firewall import Queue  # noqa: E402
from lab.process import Process, exit_on_signals, wait_until  # noqa: E402

QUEUE = 0
PORT = 5009
RATE = 40_000  # new flows a second
STANDING = 20_000  # packets in the queue before it is served; no subject's queue is shorter


class Host(hosts.Pair):
    """The server under flood and the client that floods it."""

    def __init__(self, flood_cpu):
        super().__init__()
        self.flood_cpu = flood_cpu

    def __enter__(self):
        super().__enter__()
        # Somebody listens, so that no ICMP errors are measured; what doesn't fit is thrown away.
        listener = self.stack.enter_context(self.server.socket(socket.AF_INET, socket.SOCK_DGRAM))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        listener.bind((SERVER, PORT))
        return self

    def queue(self):
        lines = self.server.read("netfilter/nfnetlink_queue").splitlines()
        return next((queue for queue in map(Queue.parse, lines) if queue.number == QUEUE), None)

    def drained(self):
        """The queue once it is empty: every packet it ever held has its verdict."""
        return wait_until(lambda: (queue := self.queue()).waiting == 0 and queue, 10, "the queue is empty", interval=0.0005)

    def flood(self, packets, rate=0):
        """Packets sent."""
        with on_cpu(self.flood_cpu):
            output = hosts.succeed(self.client, hosts.program("flood"), "flood0", SERVER_MAC, SERVER, PORT, packets, rate)
        return int(output.split()[0])


@contextlib.contextmanager
def queue_program(host, cpu, directory, *argv, own_table=False):
    if not own_table:
        hosts.succeed(host.server, hosts.program("queue_rule"), QUEUE)
    with on_cpu(cpu):
        process = Process(host.server, [hosts.program(argv[0]), *argv[1:]], directory / "subject.log")
    with process:
        wait_until(host.queue, 5, f"{argv[0]} has bound its queue", process)
        yield process, None


@contextlib.contextmanager
def daemon(host, cpu, directory, rules, logged=True):
    """Without `cpu` on all of them, as a server runs it."""
    firewall = hosts.Daemon(host.server, directory, rules, text=None if logged else hosts.unlogged(rules))
    firewall.settings.write_text("queue_length = 32768\n", encoding="utf-8")
    with contextlib.ExitStack() as stack:
        with on_cpu(cpu) if cpu is not None else contextlib.nullcontext():
            stack.enter_context(firewall)
        yield firewall.process, firewall


def subject(name):
    """bare, engine (on the bare loop's table), engine_table, or a number: fwd under so many rules; with " unlogged", nothing of
    what these let in is on record."""
    arguments = {"bare": ("accept_loop", str(QUEUE)), "engine": ("engine_loop", str(QUEUE), str(PORT)),
                 "engine_table": ("engine_loop", str(QUEUE), str(PORT), "table")}.get(name)
    if arguments is None:
        rules, _, unlogged = name.partition(" ")
        return lambda host, cpu, directory: daemon(host, cpu, directory, int(rules), logged=not unlogged)
    return lambda host, cpu, directory: queue_program(host, cpu, directory, *arguments, own_table=name == "engine_table")


@contextlib.contextmanager
def running(name, pinned=True):
    """The subject on one CPU with all its threads, the flood on another; or a daemon on all of them, the flood on the last."""
    first, last = first_and_last_cpu()
    flood_cpu, cpu = (first, last) if pinned else (last, None)
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        host = stack.enter_context(Host(flood_cpu))
        process, firewall = stack.enter_context(subject(name)(host, cpu, directory))
        time.sleep(0.5)  # what starting it left to do is done
        yield host, process, firewall


def steady(host, process, packets):
    """CPU microseconds for each verdict."""
    hosts.forget_connections(host.server, process)
    before, cpu = host.queue().packets, cpu_seconds(process.pid)
    host.flood(packets, RATE)
    verdicts = host.drained().packets - before
    time.sleep(0.3)  # records that still wait are part of the cost
    if verdicts < 0.99 * packets:
        raise RuntimeError(f"only {verdicts} of {packets} packets were queued")
    return (cpu_seconds(process.pid) - cpu) * 1e6 / verdicts


def saturated(host, process, times=1):
    """Verdicts a second with a standing queue: the median of so many, since each lasts a fifteenth of a second."""
    return statistics.median(stand(host, process) for _ in range(times))


def stand(host, process):
    hosts.forget_connections(host.server, process)
    with process.stopped():
        host.flood(STANDING)
        waiting = host.queue().waiting
    start = time.monotonic()
    host.drained()
    return waiting / (time.monotonic() - start)


def folded(firewall):
    """How the audit log tells of the flood."""
    audit = firewall.json("status")["audit"]
    return f"{audit['written']} lines, {audit['folded']} folded, {audit['lost']} lost"


def measure(host, process, firewall, options):
    # A single flood differs by half from the next, and a quick run takes but two turns.
    floods = [30_000] * 2 if options.quick else [80_000]
    cost = statistics.median(steady(host, process, packets) for packets in floods)
    records = folded(firewall) if firewall else ""
    return {"cost": cost, "rate": saturated(host, process, 1 if options.quick else 3), "records": records}


def measure_all(names, options, pinned=True):
    """What measure() found of each subject, a list of its values by what they are called."""
    sets, turns = (2, 1) if options.quick else (4, 2)
    found = take_turns_of_new(names, lambda name: running(name, pinned), lambda _, it: measure(*it, options), sets, turns)
    return {name: {key: [result[key] for result in results] for key in results[0]} for name, results in found.items()}


def rows(options, sizes=None):
    sizes = sizes or ([10] if options.quick else [10, 1000, 10_000, 100_000])
    column = measure_all(["bare", *map(str, sizes)], options)
    for size in sizes:
        mine, bare = column[str(size)], column["bare"]
        most = {10: 1.10, 100_000: 1.25}.get(size)
        yield Row(f"CPU for a verdict, {size} rules, audit on", "us", mine["cost"], bare["cost"], "a bare accept loop", most,
                  note=mine["records"][-1])
        yield Row(f"verdicts a second, standing queue, {size} rules", "/s", mine["rate"], bare["rate"], "a bare accept loop")


def profile(name, packets, file):
    """Records where one subject's CPU time goes, for `perf report -i FILE`."""
    with running(name) as (host, process, _):
        argv = ["perf", "record", "-q", "-g", "-F", "5000", "-o", file, "-p", str(process.pid)]
        with Process(host.server, argv, pathlib.Path(f"{file}.log")):
            time.sleep(0.5)
            print(f"{steady(host, process, packets):.2f} us for a verdict, while it is watched")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rules", type=int, nargs="+", help="the policies' sizes")
    parser.add_argument("--profile", metavar="FILE", help="instead: where --subject's time goes, by perf")
    parser.add_argument("--subject", default="10", help="bare, engine, engine_table or a number of rules")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("network namespaces need root")
    exit_on_signals()
    if arguments.profile:
        return profile(arguments.subject, 160_000, arguments.profile)
    print(HEAD)
    for row in rows(Options(arguments.quick), arguments.rules):
        print(line(row), flush=True)
    return None


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""What a verdict costs: the daemon, the engine alone and a bare accept-everything loop under the same flood of new flows.

Each round gives every subject the same offered load in namespaces of its own, one subject after the other, and takes the CPU
time of the subject's process (all its threads, the kernel's work for them included). Medians over the rounds; then the rate at
saturation. Needs root."""

import argparse
import contextlib
import json
import os
import pathlib
import socket
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lab import netns  # noqa: E402
from lab.firewall import Firewall, Queue, build_directory  # noqa: E402
from lab.process import Process, exit_on_signals, wait_until  # noqa: E402

QUEUE = 0
PORT = 5009
SERVER_MAC = "02:00:00:00:00:02"
CONNTRACK_LIMIT = pathlib.Path("/proc/sys/net/netfilter/nf_conntrack_max")

# Ten rules, the last of which lets the flood in.
POLICY = "".join(f"allow in {PORT - 9 + number}/udp\n" for number in range(10))


def program(name):
    return str(build_directory() / "tests" / "bench" / f"{name}_tool")


class Host:
    """The server under flood and the client that floods it."""

    def __init__(self, stack):
        self.client = stack.enter_context(netns.Namespace("client"))
        self.server = stack.enter_context(netns.Namespace("server"))
        netns.connect(self.client, "flood0", self.server, "eth0")
        self.server.ip(f"link set eth0 address {SERVER_MAC}", "address add 10.0.0.1/8 dev eth0")
        self.client.ip("address add 10.0.0.2/8 dev flood0")
        # Somebody listens, so that no ICMP errors are measured; what doesn't fit is thrown away.
        self.listener = stack.enter_context(self.server.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        self.listener.bind(("10.0.0.1", PORT))

    def queue(self):
        lines = self.server.read("netfilter/nfnetlink_queue").splitlines()
        return next((queue for queue in map(Queue.parse, lines) if queue.number == QUEUE), None)

    def drained(self):
        """The queue once it is empty: every packet it ever held has its verdict."""
        return wait_until(lambda: (queue := self.queue()).waiting == 0 and queue, 10, "the queue is empty", interval=0.001)

    def flood(self, packets, rate):
        """Packets sent and seconds taken."""
        argv = [program("flood"), "flood0", SERVER_MAC, "10.0.0.1", str(PORT), str(packets), str(rate)]
        with on_cpu(first_and_last_cpu()[0]):
            result = self.client.run(argv)
        if result.returncode != 0:
            raise RuntimeError(f"flood: {result.stderr}")
        sent, seconds = result.stdout.split()
        return int(sent), float(seconds)


def first_and_last_cpu():
    cpus = sorted(os.sched_getaffinity(0))
    return cpus[0], cpus[-1]


@contextlib.contextmanager
def on_cpu(cpu):
    """What is started meanwhile runs on that CPU only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_seconds(pid):
    """CPU time of all threads of a process, to the nanosecond (the clock id is made as clock_getcpuclockid(3) makes it)."""
    return time.clock_gettime(~pid << 3 | 2)


@contextlib.contextmanager
def queue_program(host, directory, *argv):
    with on_cpu(first_and_last_cpu()[1]):
        process = Process(host.server, [program(argv[0]), *argv[1:]], directory / "subject.log")
    with process:
        wait_until(host.queue, 5, f"{argv[0]} has bound its queue", process)
        yield process.pid


@contextlib.contextmanager
def bare(host, directory):
    install_queue_rule(host)
    with queue_program(host, directory, "accept_loop", str(QUEUE)) as pid:
        yield pid


@contextlib.contextmanager
def engine(host, directory):
    install_queue_rule(host)
    with queue_program(host, directory, "engine_loop", str(QUEUE), str(PORT)) as pid:
        yield pid


@contextlib.contextmanager
def engine_table(host, directory):
    with queue_program(host, directory, "engine_loop", str(QUEUE), str(PORT), "table") as pid:
        yield pid


@contextlib.contextmanager
def daemon(host, directory):
    firewall = Firewall(host.server, directory, POLICY, queues=f"{QUEUE}:{QUEUE}")
    with contextlib.ExitStack() as stack:
        with on_cpu(first_and_last_cpu()[1]):
            stack.enter_context(firewall)
        yield firewall.process.pid


def install_queue_rule(host):
    result = host.server.run([program("queue_rule"), str(QUEUE)])
    if result.returncode != 0:
        raise RuntimeError(f"queue_rule: {result.stderr}")


SUBJECTS = {
    "bare": ("bare accept loop", bare),
    "engine": ("engine, bare loop's table", engine),
    "engine_table": ("engine, fwd's table", engine_table),
    "daemon": ("fwd with audit", daemon),
}


def measure(subject, packets, rate):
    """CPU microseconds per verdict, verdicts per second, and the share of the flood that got a verdict."""
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        host = Host(stack)
        pid = stack.enter_context(SUBJECTS[subject][1](host, directory))
        time.sleep(0.5)  # what starting it left to do is done
        queued, cpu, start = host.queue().packets, cpu_seconds(pid), time.monotonic()
        sent, _ = host.flood(packets, rate)
        verdicts = host.drained().packets - queued
        seconds = time.monotonic() - start
        time.sleep(0.3)  # records that still wait are part of the cost
        cost = cpu_seconds(pid) - cpu
    if verdicts == 0:
        raise RuntimeError(f"{subject}: nothing of the flood was queued")
    return {"microseconds": cost * 1e6 / verdicts, "per_second": verdicts / seconds, "answered": verdicts / sent}


def run(options):
    results = {name: {"cost": [], "saturation": [], "answered": []} for name in options.subjects}
    for _ in range(options.rounds):
        for name in options.subjects:
            steady = measure(name, options.packets, options.rate)
            results[name]["cost"].append(steady["microseconds"])
            results[name]["answered"].append(steady["answered"])
            results[name]["saturation"].append(measure(name, options.packets, 0)["per_second"])
    return results


def summary(options, results):
    medians = {name: {key: statistics.median(values) for key, values in result.items()}
               for name, result in results.items()}
    reference = medians.get("bare", {}).get("cost")
    for name, result in medians.items():
        result["ratio"] = result["cost"] / reference if reference else None
        result["spread"] = [min(results[name]["cost"]), max(results[name]["cost"])]
    return {"rate": options.rate, "packets": options.packets, "rounds": options.rounds, "subjects": medians}


def show(report):
    print(f"{report['packets']} new UDP flows at {report['rate']} a second, {report['rounds']} rounds, medians")
    print(f"{'':28}{'us CPU/verdict':>15}{'(least-most)':>15}{'ratio':>8}{'answered':>10}{'at saturation':>16}")
    for name, result in report["subjects"].items():
        spread = "{:.2f}-{:.2f}".format(*result["spread"])
        ratio = f"{result['ratio']:.2f}" if result["ratio"] else "-"
        print(f"{SUBJECTS[name][0]:28}{result['cost']:15.2f}{spread:>15}{ratio:>8}"
              f"{result['answered']:10.1%}{result['saturation']:14.0f}/s")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--packets", type=int, default=100_000, help="new flows in a measurement")
    parser.add_argument("--rate", type=int, default=40_000, help="offered flows a second")
    parser.add_argument("--subjects", nargs="+", choices=SUBJECTS, default=["bare", "engine", "daemon"])
    parser.add_argument("--programs", help="the build tree; else FWD_BUILD, else build/")
    parser.add_argument("--json", type=pathlib.Path, help="a file for the same numbers")
    options = parser.parse_args()
    if options.programs:
        os.environ["FWD_BUILD"] = options.programs
    limit = int(CONNTRACK_LIMIT.read_text(encoding="ascii")) if CONNTRACK_LIMIT.exists() else None
    if limit and options.packets > limit * 9 // 10:
        options.packets = limit * 9 // 10
        print(f"only {options.packets} flows: conntrack's table holds {limit}", file=sys.stderr)
    return options


def main():
    options = parse_arguments()
    if os.geteuid() != 0:
        sys.exit("verdict_bench needs root, for network namespaces")
    exit_on_signals()
    report = summary(options, run(options))
    show(report)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

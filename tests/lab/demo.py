#!/usr/bin/python3
"""The reference deployment, end to end, on this machine: builds it from network namespaces, shows what fwd lets through
and what not, measured by real clients, and takes it away again. Exit status 0 when everything was as expected.

Usage: demo.py [--programs DIR]"""

import argparse
import concurrent.futures
import os
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from lab import probes  # noqa: E402
from lab.deployment import ADDRESSES, POLICY, PORTS, SERVERS, Deployment, expected_open  # noqa: E402
from lab.firewall import field  # noqa: E402
from lab.process import exit_on_signals, wait_until  # noqa: E402
from lab.report import Report  # noqa: E402

_WORD = {True: "open", False: "shut"}


def measure_all(lab):
    """(from, to, family, port) -> whether the service answered."""
    pairs = [(source, target, family, port) for source in ADDRESSES for target in SERVERS if source != target
             for family in (4, 6) for port in PORTS]

    def measure(pair):
        source, target, family, port = pair
        probe = probes.BY_PORT[port]
        return probe(lab.hosts[source], lab.hosts[target].address(family), certificate=lab.certificate)

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        return dict(zip(pairs, pool.map(measure, pairs)))


def show_before(lab, report):
    report.section("1. Without a firewall", "nmap on the client tries all 65535 ports of web01.")
    report.check("open ports of web01", list(PORTS), probes.open_ports(lab.hosts["client"], lab.hosts["web01"].ipv4))


def show_policy(lab, report):
    report.section("2. One fwd on each server, with this policy",
                   "The replicas' connections to the primary are under way already and must survive the start.")
    report.quote(POLICY)
    lab.start_firewalls()
    report.command("fwctl status      (on web01)")
    report.quote(lab.firewalls["web01"].done("status"))


def show_matrix(lab, report):
    report.section("3. Who reaches what now",
                   "Each pair of hosts with ssh-keyscan, curl, the mariadb client and nc. On every server something",
                   "listens on each of these ports: what is shut is shut by fwd.")
    measured = measure_all(lab)
    print(f"\n  {'':16}" + "".join(f"{f'{name} {port}':<14}" for port, name in PORTS.items()))
    for source in ADDRESSES:
        wanted = "".join(f"{_WORD[expected_open(source, port)]:<14}" for port in PORTS)
        print(f"\n  from {source:<11}{wanted}expected")
        for target in SERVERS:
            if target != source:
                show_pair(report, measured, source, target)


def show_pair(report, measured, source, target):
    for family in (4, 6):
        cells = [report.cell(f"{source} -> {target} port {port} over IPv{family}", _WORD[expected_open(source, port)],
                             _WORD[measured[source, target, family, port]], 14) for port in PORTS]
        print(f"    to {target} IPv{family} {''.join(cells)}measured")


def show_website(lab, report):
    client, balancer = lab.hosts["client"], lab.hosts["lb"]
    report.section("4. https://www.foobar.com through the load balancer",
                   "curl on the client, certificate checked; haproxy passes on to each server in turn.")
    for family in (4, 6):
        answers = {probes.fetch(client, balancer.address(family), lab.certificate) for _ in range(9)}
        report.check(f"served over IPv{family}", [f"www.foobar.com from {name}" for name in SERVERS],
                     sorted(answers, key=str))
    counted = probes.fetch(client, balancer.ipv4, lab.certificate, "orders") or "no answer"
    report.check("the application behind nginx asks the database", f"{lab.primary.orders()} orders",
                 counted.split(",")[0])


def show_replication(lab, report):
    report.section("5. The database still replicates", "web02 follows the primary over IPv4, web03 over IPv6.")
    for name in ("web02", "web03"):
        report.check(f"{name} replicates", True, lab.databases[name].replicates())
    report.check("a row written on web01 arrives on both replicas", True, lab.replicated())


def show_scan(lab, report):
    report.section("6. What a stranger finds", "nmap on the client, all 65535 ports.")
    families = (4, 6)
    with concurrent.futures.ThreadPoolExecutor(len(families)) as pool:
        found = pool.map(lambda family: probes.open_ports(lab.hosts["client"], lab.hosts["web01"].address(family)),
                         families)
        for family, ports in zip(families, found):
            report.check(f"open ports of web01 over IPv{family}", [22, 80, 443], ports)


def show_change(lab, report):
    report.section("7. A rule added and removed while it runs",
                   "It takes effect when the command returns, and is in the policy file by then.")
    firewall = lab.firewalls["web01"]
    rule = ["proto", "tcp", "from", ADDRESSES["client"][0], "to", "any", "port", "8080"]

    def reachable():
        return _WORD[probes.app(lab.hosts["client"], lab.hosts["web01"].ipv4)]

    report.check("client -> web01 port 8080", "shut", reachable())
    report.command(f"fwctl allow {' '.join(rule)}")
    report.quote(firewall.done("allow", *rule))
    report.check("client -> web01 port 8080", "open", reachable())
    report.check("the rule is in the policy file", True, ADDRESSES["client"][0] + " to any port 8080"
                 in firewall.policy.read_text(encoding="utf-8"))
    report.command(f"fwctl remove allow {' '.join(rule)}")
    report.quote(firewall.done("remove", "allow", *rule))
    report.check("client -> web01 port 8080", "shut", reachable())
    report.check("the policy file is as it was", True, firewall.policy.read_text(encoding="utf-8") == POLICY)
    report.command("fwctl list")
    report.quote(firewall.done("list"))


def one_line(record):
    """An audit record for the eye: when, what, who, why."""
    def text(path):
        return field(record, path) or ""

    port = f" port {text('destination.port')}" if text("destination.port") else ""
    name = f" ({text('rule.name')})" if text("rule.name") else ""
    return (f"{text('@timestamp')[11:23]} {text('event.action'):<7} {text('network.transport'):<5} "
            f"{text('source.ip'):<15} -> {text('destination.ip')}{port}  because of {text('event.reason')}{name}")


def show_audit(lab, report):
    report.section("8. What the audit log says", "One JSON line (Elastic Common Schema) for each decision on a new "
                   "connection; here web01's, shortened.")
    firewall, client = lab.firewalls["web01"], ADDRESSES["client"][0]
    wanted = [("the client's web requests", {"source__ip": client, "destination__port": 443}, "accept"),
              ("the client's tries at the database", {"source__ip": client, "destination__port": 3306}, "drop"),
              ("the replica's connections", {"source__ip": ADDRESSES["web02"][0], "destination__port": 3306}, "accept")]
    for what, fields, action in wanted:
        records = wait_for_records(firewall, fields)
        report.check(what, [action], sorted({field(record, "event.action") for record in records}))
        report.quote(one_line(records[-1]) if records else "(none)")
    report.command("tail -1 audit.json")
    report.quote(firewall.audit_file.read_text(encoding="utf-8").splitlines()[-1])


def wait_for_records(firewall, fields):
    try:
        return wait_until(lambda: firewall.audit(**fields), 3, "audit records", interval=0.2)
    except TimeoutError:
        return []


def run(report):
    report.section("fwd: the reference deployment in network namespaces",
                   "A client, a load balancer (haproxy) and three servers, each with nginx, an application, sshd and",
                   "MariaDB (web01 is the primary, web02 and web03 replicate from it). It takes about a minute.")
    with Deployment() as lab:
        for show in (show_before, show_policy, show_matrix, show_website, show_replication, show_scan, show_change,
                     show_audit):
            show(lab, report)
    return report.finish()


def main():
    parser = argparse.ArgumentParser(description="Shows fwd at work in the reference deployment.")
    parser.add_argument("--programs", metavar="DIR", help="where fwd and fwctl are (default: build)")
    arguments = parser.parse_args()
    if arguments.programs:
        os.environ["FWD_BUILD"] = arguments.programs
    if os.geteuid() != 0:
        sys.exit("The demo makes network namespaces, which only root may do: run it as root or with sudo.")
    exit_on_signals()
    return run(Report())


if __name__ == "__main__":
    sys.exit(main())

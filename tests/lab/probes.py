"""What a host can reach, measured with the programs people really use. A probe is True when the service answered."""

import re

from lab.services import SITE

_PATIENCE = 2  # seconds; what fwd denies is dropped without an answer


def ssh(host, target, **_):
    """Fetches the host key."""
    return bool(host.namespace.run(["ssh-keyscan", "-T", str(_PATIENCE), "-t", "ed25519", target]).stdout)


def http(host, target, **_):
    return _curl(host, "--header", f"Host: {SITE}", f"http://{_url(target)}/") is not None


def https(host, target, certificate):
    """With the certificate checked, for the site's own name."""
    return fetch(host, target, certificate) is not None


def mariadb(host, target, **_):
    argv = ["mariadb", "--no-defaults", "--host", target, "--user", "app", "--password=app",
            f"--connect-timeout={_PATIENCE}", "--execute", "SELECT 1"]
    return host.namespace.run(argv).returncode == 0


def app(host, target, **_):
    return host.namespace.run(["nc", "-z", "-w", str(_PATIENCE), target, "8080"]).returncode == 0


BY_PORT = {22: ssh, 80: http, 443: https, 3306: mariadb, 8080: app}


def fetch(host, target, certificate, path=""):
    """A page of the site over HTTPS from the address `target`; None when it can't be had."""
    return _curl(host, "--cacert", str(certificate), "--resolve", f"{SITE}:443:{_url(target)}",
                 f"https://{SITE}/{path}")


def open_ports(host, target):
    """All TCP ports that nmap finds open on the address, each of the 65535 tried."""
    argv = ["nmap", "-n", "-Pn", "-sS", "-p-", "--min-rate", "12000", "--max-retries", "2", "-oG", "-", target]
    if ":" in target:
        argv.insert(1, "-6")
    return [int(port) for port in re.findall(r"(\d+)/open/tcp", host.namespace.run(argv, timeout=120).stdout)]


def _url(target):
    return f"[{target}]" if ":" in target else target


def _curl(host, *arguments):
    result = host.namespace.run(["curl", "--silent", "--fail", "--max-time", str(_PATIENCE + 1), *arguments])
    return result.stdout.strip() if result.returncode == 0 else None

"""One fwd daemon in one namespace, and fwctl talking to it."""

import contextlib
import dataclasses
import http.client
import json
import os
import pathlib
import re
import signal

from lab.process import Process, anyone_may_run, wait_until
from lab.unix_http import UnixConnection

ROOT = pathlib.Path(__file__).resolve().parents[2]


def build_directory():
    """FWD_BUILD names another build tree, e.g. that of the sanitizers."""
    return pathlib.Path(os.environ.get("FWD_BUILD", ROOT / "build")).resolve()


@dataclasses.dataclass
class Queue:
    """A line of /proc/net/netfilter/nfnetlink_queue."""

    number: int
    waiting: int
    dropped: int
    user_dropped: int
    packets: int

    @classmethod
    def parse(cls, line):
        number, _, waiting, _, _, dropped, user_dropped, sequence, *_ = map(int, line.split())
        return cls(number, waiting, dropped, user_dropped, sequence)


class Firewall:
    """A context manager: entering starts the daemon and waits until it answers."""

    def __init__(self, namespace, directory, policy, settings="", queues="0:1"):
        self.namespace = namespace
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.policy = self.directory / "policy.fw"
        self.settings = self.directory / "fwd.toml"
        self.socket = self.directory / "fwd.sock"
        self.audit_file = self.directory / "audit.json"
        self.state = self.directory / "state"
        self.log = self.directory / "fwd.log"
        self.queues = queues
        self.process = None
        self.state.mkdir(exist_ok=True)
        self.policy.write_text(policy, encoding="utf-8")
        self.settings.write_text(settings, encoding="utf-8")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def command(self):
        return [str(build_directory() / "fwd"), "--policy", str(self.policy), "--config", str(self.settings),
                "--socket", str(self.socket), "--state", str(self.state), "--audit", str(self.audit_file),
                "--queues", self.queues]

    def launch(self):
        """Starts the daemon without waiting for it."""
        self.process = Process(self.namespace, self.command(), self.log)

    def start(self):
        self.launch()
        try:
            wait_until(self.answers, 20, "fwd is ready", self.process)
        except BaseException:
            self.stop()
            raise

    def wait_for_log(self, words, timeout):
        wait_until(lambda: words in self.process.output(), timeout, f"fwd says {words!r}", self.process)

    def stop(self):
        """SIGTERM; the exit status."""
        return self.process.stop() if self.process else None

    def kill(self):
        self.process.signal(signal.SIGKILL)
        return self.process.wait(5)

    def ctl(self, *arguments, **options):
        """fwctl with these arguments; the result carries returncode, stdout and stderr."""
        # A sanitized fwctl would look for leaks for half the time that it runs. ctl_test looks for them.
        options = {"env": os.environ | {"ASAN_OPTIONS": "detect_leaks=0"}} | options
        argv = self.ctl_argv(*arguments)
        if "user" not in options:
            return self.namespace.run(argv, **options)
        with anyone_may_run(argv[0]) as program:
            return self.namespace.run(argv, **program, **options)

    def ctl_argv(self, *arguments):
        return [str(build_directory() / "fwctl"), "--socket", str(self.socket), *arguments]

    def done(self, *arguments):
        """fwctl, which must succeed; its output."""
        result = self.ctl(*arguments)
        if result.returncode != 0:
            raise RuntimeError(f"fwctl {' '.join(arguments)}: exit {result.returncode}\n{result.stdout}{result.stderr}")
        return result.stdout

    def json(self, *arguments):
        return json.loads(self.done("--json", *arguments))

    def get(self, path):
        """What the API answers. Without fwctl, whose start takes a sanitized one longer than most tests have to wait."""
        connection = UnixConnection(self.socket)
        with contextlib.closing(connection):
            connection.request("GET", path)
            response = connection.getresponse()
            text = response.read().decode()
        if response.status != 200:
            raise RuntimeError(f"GET {path}: {response.status}\n{text}")
        return json.loads(text)

    def status(self):
        return self.get("/v1/status")

    def answers(self):
        try:
            return bool(self.status())
        except (OSError, http.client.HTTPException):
            return False

    def apply(self, policy):
        """Writes the text to a file of its own and applies that."""
        new = self.directory / "new.fw"
        new.write_text(policy, encoding="utf-8")
        return self.done("apply", str(new))

    def audit(self, **fields):
        """The audit records written so far whose dotted fields have these values: audit(event__action="drop")."""
        if not self.audit_file.exists():
            return []
        lines = self.audit_file.read_text(encoding="utf-8").splitlines()
        records = [json.loads(line) for line in lines]
        wanted = {name.replace("__", "."): value for name, value in fields.items()}
        return [record for record in records if all(field(record, name) == value for name, value in wanted.items())]

    def queue_lines(self):
        """One Queue for each queue that somebody serves in the daemon's namespace."""
        return [Queue.parse(line) for line in self.namespace.read("netfilter/nfnetlink_queue").splitlines()]

    def queued_packets(self):
        """How many packets the kernel has ever handed to the daemon."""
        return sum(queue.packets for queue in self.queue_lines())

    def table(self):
        """The kernel's table as nft prints it, without counters and times; empty when there is none."""
        listing = self.namespace.run(["nft", "--stateless", "list", "table", "inet", "fwd_policy"]).stdout
        return re.sub(r" expires \w+", "", listing)


def field(record, path):
    """The value at a dotted path in an audit record, None where there is none."""
    for name in path.split("."):
        if not isinstance(record, dict):
            return None
        record = record.get(name)
    return record

"""The real log clients read the audit log, also while it is rotated: each line once."""

import contextlib
import gzip
import json
import re
import socket
import subprocess
import threading
import urllib.request

from audit_log import chained
from harness import SERVER, STRANGER, FwdTest
from lab.firewall import ROOT
from lab.process import Process, wait_until
from monitoring import SHIPPED, adapted, needs
from traffic import Listener, is_open

ROTATIONS = 3


class Rotated(FwdTest):
    policy = 'default deny in\nallow in 80/tcp comment "web"\nreject in 81/tcp\n'
    settings = "[audit]\nfold_above = 0\nrotate_size = 30000\n"

    def rotate(self, read):
        """Connections until fwd has rotated its log some times amid them. `read` tells the last line that a client has
        read: it looks for a new file only now and then, and must see each of them."""
        with Listener(self.server, 80):
            while len(self.old_files()) < ROTATIONS:
                for _ in range(10):
                    is_open(self.client, 4, SERVER[4], 80)
                    is_open(self.client, 4, SERVER[4], 81)
                self.wait_for(read)
        self.ctl(0, "allow", "in", "8080/tcp")
        self.wait_for(read)

    def wait_for(self, read):
        """Until the client has read all that was decided."""
        wait_until(lambda: self.fwd.status()["audit"]["waiting"] == 0, 3, "all is written")
        last = self.fwd.get("/v1/audit")["sequence"]
        wait_until(lambda: read() >= last, 10, f"the client has read line {last}")

    def old_files(self):
        """Oldest first."""
        return sorted(self.fwd.directory.glob("audit.json.*"), key=lambda path: -int(path.name.split(".")[2]))

    def lines(self):
        """The whole log from its files."""
        files = [*self.old_files(), self.fwd.audit_file]
        return b"".join(path.read_bytes() for path in files).splitlines(keepends=True)


class Rsyslog(Rotated):
    @needs("rsyslogd")
    def test_rsyslog_sends_every_line_once_and_unchanged(self):
        with LogServer(self.client, 514) as log_server:
            events = self.directory / "events.log"
            config = adapted(SHIPPED / "rsyslog/fwd.conf", self.directory / "rsyslog-fwd.conf",
                             {"/var/log/fwd/audit.json": self.fwd.audit_file, "logs.example.net": STRANGER[4],
                              "/var/log/fwd-events.log": events})
            main = self.directory / "rsyslog.conf"
            main.write_text(f'global(workDirectory="{self.directory}")\ninclude(file="{config}")\n', encoding="utf-8")
            self.stack.enter_context(Process(
                self.server, ["/usr/sbin/rsyslogd", "-n", "-f", str(main), "-i", str(self.directory / "rsyslog.pid")],
                self.directory / "rsyslog.log"))
            self.rotate(log_server.last)
            sent = log_server.lines()
        self.assertEqual(sent, self.lines())
        self.assertEqual(chained(sent), [])
        self.assertIn("fwd.admin add_rule: uid 0 added rule 3", events.read_text(encoding="utf-8"))
        self.assertNotIn("fwd.verdict", events.read_text(encoding="utf-8"))


class Mtail(Rotated):
    @needs("mtail")
    def test_mtail_counts_every_line_once(self):
        mtail = Process(self.server, ["mtail", "--progs", str(SHIPPED / "mtail"), "--logs", str(self.fwd.audit_file),
                                      "--address", "127.0.0.1", "--port", "3903", "--logtostderr"],
                        self.directory / "mtail.log")
        self.stack.enter_context(mtail)
        wait_until(lambda: "Listening on" in mtail.output(100), 5, "mtail is ready", mtail)
        self.rotate(lambda: self.metrics().get("fwd_log_sequence", 0))
        metrics = self.metrics()
        # It begins at the end of a file that is there already, here after the line that says "fwd starts".
        records = [json.loads(line) for line in self.lines()[1:]]
        self.assertEqual(metrics["fwd_log_sequence_breaks_total"], 0)
        self.assertEqual(sum(value for name, value in metrics.items() if name.startswith("fwd_log_lines_total")),
                         len(records))
        decisions = [record["event"] for record in records if record["event"]["dataset"] == "fwd.verdict"]
        for action in ("accept", "reject"):
            self.assertEqual(metrics[f'fwd_log_decisions_total{{action="{action}",reason="rule"}}'],
                             sum(event["action"] == action and event["reason"] == "rule" for event in decisions))
        self.assertEqual(metrics['fwd_log_changes_total{action="add_rule",outcome="success"}'], 1)

    def metrics(self):
        with self.server.entered():
            text = urllib.request.urlopen("http://127.0.0.1:3903/metrics", timeout=5).read().decode()
        found = re.findall(r"^(fwd_log_\w+(?:{[^}]*})?) (\S+)", text.replace(',prog="fwd.mtail"', "").replace(
            '{prog="fwd.mtail"}', ""), re.M)
        return {name: float(value) for name, value in found}


class Logrotate(FwdTest):
    policy = "default deny in\nallow in 80/tcp\n"
    settings = "[audit]\nfold_above = 0\n"

    @needs("logrotate", "jq", "lnav")
    def test_jq_and_lnav_read_every_line_that_the_packages_example_for_logrotate_has_left(self):
        config = adapted(
            ROOT / "debian/examples/logrotate", self.directory / "logrotate.conf",
            {"/var/log/fwd/*.json": self.fwd.audit_file, "su fwd fwd": "su root root",
             "if [ -d /run/systemd/system ]": "if true",
             "systemctl kill --kill-whom=main --signal=HUP fwd.service": f"kill -HUP {self.fwd.process.pid}"})
        with traffic(self.client, self.server):
            for number in range(1, ROTATIONS + 1):
                before = self.written()
                wait_until(lambda before=before: self.written() > before + 50, 10, "some more records")
                self.server.run(["/usr/sbin/logrotate", "--force", "--state", str(self.directory / "logrotate.state"),
                                 str(config)], check=True)
                wait_until(self.fwd.audit_file.exists, 3, f"a new file after rotation {number}")
        self.fwd.stop()
        names = ["audit.json.3.gz", "audit.json.2.gz", "audit.json.1", "audit.json"]
        lines = b"".join((gzip.decompress if name.endswith("gz") else bytes)((self.fwd.directory / name).read_bytes())
                         for name in names)
        self.assertEqual(chained(lines.splitlines(keepends=True)), [])
        whole = self.directory / "whole.json"
        whole.write_bytes(lines)
        jq = subprocess.run(["jq", ".event.sequence", str(whole)], capture_output=True, text=True, check=True)
        self.assertEqual(jq.stdout.split(), [str(number) for number in range(1, lines.count(b"\n") + 1)])
        query = ';SELECT count(DISTINCT "event/sequence"), max("event/sequence") FROM fwd_audit'
        self.lnav("-i", str(SHIPPED / "lnav/fwd_audit.json"))
        found = self.lnav("-n", "-c", query, "-c", ":write-csv-to -", str(whole)).splitlines()[-1]
        self.assertEqual(found, f"{len(jq.stdout.split())},{len(jq.stdout.split())}")

    def lnav(self, *arguments):
        """What lnav prints; it keeps its formats in the test's directory."""
        return subprocess.run(["lnav", *arguments], capture_output=True, text=True, check=True,
                              env={"HOME": str(self.directory), "TERM": "dumb"}).stdout

    def written(self):
        return self.fwd.status()["audit"]["written"]


@contextlib.contextmanager
def traffic(client, server):
    """Connections to port 80 and 81, one after the other, as long as it lasts."""
    ended = threading.Event()

    def connect():
        while not ended.wait(0.001):
            is_open(client, 4, SERVER[4], 80)

    with Listener(server, 80):
        thread = threading.Thread(target=connect)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


class LogServer:
    """What comes to a TCP port of a host, in RFC 5424 with a line end after each message."""

    _MESSAGE = re.compile(rb"<182>1 \S+ \S+ fwd - - - (\{.*\}\n)")

    def __init__(self, namespace, port):
        self._received = b""
        self._socket = namespace.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("0.0.0.0", port))
        self._socket.listen()
        threading.Thread(target=self._receive, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _receive(self):
        with contextlib.suppress(OSError):
            connection, _ = self._socket.accept()
            with connection:
                while data := connection.recv(1 << 16):
                    self._received += data

    def lines(self):
        """The audit log's lines as they were sent, without what is incomplete."""
        whole = self._received[:self._received.rfind(b"\n") + 1]
        messages = [self._MESSAGE.fullmatch(message) for message in whole.splitlines(keepends=True)]
        return [message[1] if message else b"unexpected" for message in messages]

    def last(self):
        """The sequence of the line that came last; 0 before the first one."""
        lines = self.lines()
        return json.loads(lines[-1])["event"]["sequence"] if lines else 0

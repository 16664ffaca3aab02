"""What the audit log's outputs send to: a socket of the test's own, systemd's journal, rsyslog."""

import contextlib
import json
import pathlib
import shutil
import socket
import subprocess

from lab.process import wait_until

JOURNALD = pathlib.Path("/lib/systemd/systemd-journald")
RSYSLOGD = shutil.which("rsyslogd", path="/usr/sbin:/sbin:/usr/bin")

_JOURNAL = "fwdtest"  # its namespace: nothing of the machine's own journal is touched


class Socket:
    """A datagram socket that takes what is sent to it, or lets it wait."""

    def __init__(self, path):
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)
        self.received = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def read(self):
        """All datagrams until now."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.received.append(self._socket.recv(1 << 20))
        return self.received


class _Program:
    def __init__(self, argv, log):
        self._argv, self._log = argv, log
        self._process = None

    def __enter__(self):
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(self._argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_until(self.ready, 10, f"{self._argv[0]}: {self._log}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(10)


class Journal(_Program):
    """systemd-journald with a /run of its own, in `directory`."""

    def __init__(self, directory):
        self._run = directory / "run"
        settings = self._run / "systemd" / f"journald@{_JOURNAL}.conf.d"
        settings.mkdir(parents=True)
        (settings / "test.conf").write_text("[Journal]\nStorage=volatile\nRateLimitBurst=0\n", encoding="ascii")
        self.socket = self._run / "systemd" / f"journal.{_JOURNAL}" / "socket"
        self.socket.parent.mkdir()
        argv = ["unshare", "--mount", "sh", "-ec", f'mount --bind "$1" /run; exec {JOURNALD} {_JOURNAL}', "sh", str(self._run)]
        super().__init__(argv, directory / "journald.log")

    def ready(self):
        return self.socket.exists()

    def entries(self):
        """Those of fwd, as journalctl gives them."""
        folders = list((self._run / "log" / "journal").glob("*"))
        if not folders:
            return []
        result = subprocess.run(["journalctl", "--directory", str(folders[0]), "--output=json", "--all", "--quiet",
                                 "SYSLOG_IDENTIFIER=fwd"], capture_output=True, check=True, text=True)
        return [json.loads(line) for line in result.stdout.splitlines()]


class Rsyslog(_Program):
    """rsyslogd that does nothing but write what comes by its socket to a file, field by field."""

    def __init__(self, directory):
        self.socket = directory / "log"
        self._file = directory / "rsyslog.json"
        configuration = directory / "rsyslog.conf"
        configuration.write_text(
            f'''global(workDirectory="{directory}" maxMessageSize="64k")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{self.socket}" UseSpecialParser="off" ParseHostname="on" IgnoreTimestamp="off"
      RateLimit.Interval="0")
template(name="fields" type="list" option.jsonf="on") {{
  property(outname="facility" name="syslogfacility-text" format="jsonf")
  property(outname="severity" name="syslogseverity-text" format="jsonf")
  property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="host" name="hostname" format="jsonf")
  property(outname="program" name="app-name" format="jsonf")
  property(outname="pid" name="procid" format="jsonf")
  property(outname="dataset" name="msgid" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
}}
action(type="omfile" file="{self._file}" template="fields")
''', encoding="ascii")
        argv = [RSYSLOGD, "-n", "-C", "-f", str(configuration), "-i", str(directory / "rsyslog.pid")]
        super().__init__(argv, directory / "rsyslogd.log")

    def ready(self):
        return self.socket.exists()

    def messages(self):
        if not self._file.exists():
            return []
        return [json.loads(line) for line in self._file.read_text(encoding="utf-8").splitlines()]

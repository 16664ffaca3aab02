"""Metrics as a monitoring system reads them, without a line of fwd's own code."""

import http.client
import re
import socket

_SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$')
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)')
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


class TcpConnection(http.client.HTTPConnection):
    """HTTP to a port of the namespace's own."""

    def __init__(self, namespace, port, address="127.0.0.1"):
        super().__init__(address, port, timeout=10)
        self._namespace = namespace

    def connect(self):
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self.sock = self._namespace.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect((self.host, self.port))


class Page:
    """The samples of one page in Prometheus' text format."""

    def __init__(self, text):
        self.text = text
        self._samples = {}
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            match = _SAMPLE.match(line)
            assert match, f"no sample: {line!r}"
            labels = {name: re.sub(r"\\.", lambda escape: _ESCAPES[escape[0]], value)
                      for name, value in _LABEL.findall(match[2] or "")}
            key = (match[1], frozenset(labels.items()))
            assert key not in self._samples, f"twice: {line!r}"
            self._samples[key] = float(match[3])

    def values(self, name, **labels):
        """Those of all samples that have this name and at least these labels."""
        return [value for (sample, has), value in self._samples.items() if sample == name and labels.items() <= set(has)]

    def sum(self, name, **labels):
        return sum(self.values(name, **labels))

    def get(self, name, **labels):
        """The one sample that has this name and at least these labels."""
        found = self.values(name, **labels)
        assert len(found) == 1, f"{name}{labels}: {found}"
        return found[0]

    def series(self, name=None):
        """(name, {label: value}) of each sample."""
        return [(sample, dict(labels)) for sample, labels in self._samples if name in (None, sample)]

    def counters(self):
        """What must never fall while the daemon runs: the samples of counters and histograms."""
        types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", self.text, re.M))
        family = re.compile(r"_(?:bucket|sum|count)$")
        return {key: value for key, value in self._samples.items()
                if "counter" == types.get(key[0]) or "histogram" == types.get(family.sub("", key[0]))}


def fetch(connection, path="/metrics", method="GET", body=None):
    """Status, content type and body of what is answered."""
    connection.request(method, path, body)
    response = connection.getresponse()
    answer = response.status, response.getheader("Content-Type"), response.read().decode()
    connection.close()
    return answer


def scrape(connection):
    status, content_type, body = fetch(connection)
    assert (status, content_type) == (200, "text/plain; version=0.0.4; charset=utf-8"), (status, content_type, body)
    return Page(body)

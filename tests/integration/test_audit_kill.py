"""A daemon that is killed over and over while it decides: what has no line in the log is told by its successor, exactly."""

import contextlib
import json
import socket
import struct
import threading
import time

from audit_log import chained, tally
from harness import SERVER, STRANGER, FwdTest
from lab.process import wait_until

KILLS = 50
BATCH = 64  # verdicts that a worker has decided and not sent yet
QUEUES = 2
PORT = 9000

# Between fwd's chains: a verdict of the daemon stands in the upper bits of the packet's priority, from 8 up.
_TABLE = f"""
table inet between {{
    counter obeyed {{ }}
    chain verdicts {{
        type filter hook input priority 5;
        udp dport {PORT} meta priority & 0x80000000 != 0 counter name obeyed
    }}
}}
"""


class Datagrams:
    """New flows to the server, one datagram each, some thousand a second at most."""

    def __init__(self, client, pause=0.004, burst=8, source=STRANGER[4], port=PORT):
        self._client, self._pause, self._burst = client, pause, burst
        self._source, self._port = source, port
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)
        self.sent = 0

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    def _send(self):
        with self._client.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as sock:
            sock.bind((self._source, 0))
            while not self._ended.wait(self._pause):
                for _ in range(self._burst):
                    source = 1024 + self.sent % 64000
                    with contextlib.suppress(OSError):
                        sock.sendto(struct.pack("!HHHH", source, self._port, 9, 0) + b"?", (SERVER[4], 0))
                    self.sent += 1


class Killed(FwdTest):
    policy = f"default deny in\nallow in {PORT}/udp\n"
    settings = "[audit]\nfold_above = 100\n"

    def test_no_decision_is_without_trace_however_often_the_daemon_is_killed(self):
        self.server.run(["nft", "-f", "-"], input=_TABLE)
        self.server.run(["sysctl", "-q", "net.netfilter.nf_conntrack_udp_timeout=1"])
        with Datagrams(self.client) as load:
            for number in range(KILLS):
                time.sleep(0.05 + number % 7 * 0.02)
                self.fwd.kill()
                self.fwd.start()
            time.sleep(0.2)
        self.assertGreater(load.sent, 1000)
        wait_until(lambda: self.fwd.status()["audit"]["waiting"] == 0, 3, "all is written")
        self.fwd.stop()

        lines = self.fwd.audit_file.read_bytes().splitlines(keepends=True)
        self.assertEqual(chained(lines), [])
        told = tally(lines)
        last = [json.loads(line) for line in lines if b'"checkpoint"' in line][-1]["fwd"]["checkpoint"]
        self.assertEqual(last["decided"], last["written"] + last["folded"] + last["lost"] + last["waiting"])
        obeyed = self.counter("obeyed")
        self.assertGreater(obeyed, 1000)
        decided = sum(told.values())
        self.assertGreaterEqual(decided, obeyed, told)
        self.assertLessEqual(decided, obeyed + KILLS * QUEUES * BATCH, told)

    def counter(self, name):
        listing = self.server.run(["nft", "list", "counter", "inet", "between", name]).stdout
        return int(listing.split("packets ")[1].split()[0])

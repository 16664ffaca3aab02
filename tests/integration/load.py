"""Traffic that goes on while something breaks: connections that are open and must stay so, new ones that the policy
permits, and one after another that it forbids. Fault is what the tests of faults have in common."""

import contextlib
import itertools
import os
import random
import socket
import struct
import threading
import time

from harness import FAMILIES, SERVER, FwdTest
from lab.process import wait_until
from packets import Flow
from traffic import Listener, connect, exchange

ALLOWED, FORBIDDEN = 80, 8080
POLICY = "default deny in\nallow in 80/tcp\n"
LEASE = 0.6  # seconds


class Load:
    """A context manager: the traffic flows as long as it lasts. Entering it needs a working firewall."""

    def __init__(self, client, server, forbidden=True):
        self._client, self._server, self._forbidden = client, server, forbidden
        self._stack = contextlib.ExitStack()
        self._ended = threading.Event()
        self.opened = []  # seconds that each permitted connection took
        self.failed = []  # what became of the others
        self.lost = []  # open connections that didn't answer any more

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.enter_context(Listener(self._server, ALLOWED))
            self._canary = stack.enter_context(Listener(self._server, FORBIDDEN))
            self._open = [stack.enter_context(connect(self._client, family, SERVER[family], ALLOWED))
                          for family in FAMILIES * 2]
            jobs = [self._talk, self._come] + [self._try_forbidden] * self._forbidden
            threads = [threading.Thread(target=job) for job in jobs]
            for thread in threads:
                thread.start()
                stack.callback(thread.join)
            stack.callback(self._ended.set)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def forbidden(self):
        """How many connections came about that the policy forbids."""
        return self._canary.accepted()

    def wait_for_new(self, count, timeout):
        """So many more permitted connections, or fewer when the time is over; how many."""
        before, deadline = len(self.opened), time.monotonic() + timeout
        while len(self.opened) < before + count and time.monotonic() < deadline:
            time.sleep(0.02)
        return len(self.opened) - before

    def _talk(self):
        while not self._ended.wait(0.03):
            for sock in list(self._open):
                if not exchange(sock):
                    self._open.remove(sock)
                    self.lost.append(sock.getpeername())

    def _come(self):
        for family in itertools.cycle(FAMILIES):
            if self._ended.wait(0.02):
                return
            start = time.monotonic()
            try:
                connect(self._client, family, SERVER[family], ALLOWED, timeout=8).close()
                self.opened.append(time.monotonic() - start)
            except OSError as error:
                self.failed.append(repr(error))

    def _try_forbidden(self):
        for family in itertools.cycle(FAMILIES):
            if self._ended.wait(0.02):
                return
            with contextlib.suppress(OSError):
                connect(self._client, family, SERVER[family], FORBIDDEN, timeout=0.2).close()


def forged_sources(count):
    """Distinct addresses of a network that nobody has (RFC 2544)."""
    return [f"198.{18 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"
            for number in random.Random(count).sample(range(1 << 17), count)]


def flood(namespace, sources, port, packets, each_millisecond=20):
    """TCP SYNs to the server, one from each source in turn, no faster than so many a millisecond."""
    target = socket.inet_aton(SERVER[4])
    ready = [struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, socket.IPPROTO_TCP, 0, socket.inet_aton(source), target)
             + Flow(4, source, SERVER[4]).tcp(port) for source in sources]
    with namespace.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
        start = time.monotonic()
        for number, packet in zip(range(packets), itertools.cycle(ready)):
            with contextlib.suppress(BlockingIOError, OSError):
                sock.sendto(packet, (SERVER[4], 0))
            if number % each_millisecond == 0:
                time.sleep(max(0.0, start + number / each_millisecond / 1000 - time.monotonic()))


def flood_on_each_cpu(namespace, sources, port, packets):
    """So that all queues get something: a packet's queue is that of the CPU that receives it. Here the sending one does."""
    cpus = os.sched_getaffinity(0)
    try:
        for cpu in cpus:
            os.sched_setaffinity(0, {cpu})
            flood(namespace, sources, port, packets)
    finally:
        os.sched_setaffinity(0, cpus)


class Fault(FwdTest):
    """What holds whatever happens."""

    policy = POLICY
    settings = f"lease_ms = {LEASE * 1000:.0f}\n"

    def load(self):
        return Load(self.client, self.server)

    def assert_held(self, load):
        """To be asked after the load has ended."""
        self.assertEqual(load.forbidden(), 0, "forbidden connections came about")
        self.assertEqual(load.lost, [], "open connections were lost")
        self.assertEqual(load.failed, [], "permitted connections failed")

    def counter(self, name):
        listing = self.server.run(["nft", "list", "counter", "inet", "fwd_policy", name]).stdout
        return int(listing.split("packets ")[1].split()[0])

    def episode(self, reason):
        """The records of the one episode there was, once it is over: its beginning and its end."""
        wait_until(lambda: self.fwd.audit(event__action="recovery"), 8, "the episode is over")
        began, ended = self.records(1, event__action="fallback"), self.records(1, event__action="recovery")
        self.assert_fields(ended[0], event__dataset="fwd.health", event__reason=reason)
        packets = ended[0]["fwd"]
        self.assertEqual(packets["packets"], packets["allowed"] + packets["denied"] + packets["metered"])
        status = self.fwd.status()["kernel_copy"]
        self.assertEqual((status["active"], status["episodes"], status["packets"]), (False, 1, packets["packets"]))
        return began[0], ended[0]

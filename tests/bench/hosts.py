"""What the parts of the bench measure on: a server and its client, policies of many rules, and CPU time."""

import contextlib
import functools
import mmap
import os
import shutil
import socket
import struct
import subprocess
import time

from lab import netns
from lab.firewall import Firewall, build_directory

SERVER, CLIENT = "10.0.0.1", "10.0.0.2"
SERVER_MAC = "02:00:00:00:00:02"
_NETLINK_NETFILTER = 12
_CTNETLINK_DELETE = 1 << 8 | 2  # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE
_REQUEST_AND_ACK = 1 | 4  # NLM_F_
_MADV_POPULATE_WRITE = 23
PATIENCE = 60  # seconds for a daemon to start with 100,000 rules


def program(name):
    return str(build_directory() / "tests" / "bench" / f"{name}_tool")


@functools.cache
def policy(language, rules):
    """The text of so many rules, for "fwd" or for "nft"; what lets the bench's own traffic in comes last."""
    argv = [program("rules"), language, str(rules)]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def unlogged(rules):
    """fwd's rules with `log none`."""
    return policy("fwd", rules).replace("allow in ", "allow in log none ")


class Pair:
    """A context manager: the server and the client on one cable."""

    def __init__(self):
        self.stack = contextlib.ExitStack()
        self.daemon = None  # the server's, if whoever started one says so

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.client = stack.enter_context(netns.Namespace("client"))
            self.server = stack.enter_context(netns.Namespace("server"))
            netns.connect(self.client, "flood0", self.server, "eth0")
            self.server.ip(f"link set eth0 address {SERVER_MAC}", f"address add {SERVER}/8 dev eth0")
            self.client.ip(f"address add {CLIENT}/8 dev flood0")
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()


class Daemon(Firewall):
    """The daemon under so many rules. It says that it runs; asking for the status takes long with many of them."""

    def __init__(self, namespace, directory, rules, queues="0:0", text=None, settings=""):
        super().__init__(namespace, directory, text or policy("fwd", rules), settings, queues)

    def start(self):
        self.launch()
        try:
            self.wait_for_log("is running", PATIENCE)
        except BaseException:
            self.stop()
            raise


def succeed(namespace, *argv, **options):
    """The program's output; it must end well."""
    result = namespace.run([str(part) for part in argv], **({"timeout": 120} | options))
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, argv))}: {result.stderr or result.stdout}")
    return result.stdout


def load_nft(namespace, directory, rules):
    """The nftables policy that means the same; the file it came from."""
    file = directory / f"policy{rules}.nft"
    file.write_text(policy("nft", rules), encoding="utf-8")
    succeed(namespace, "nft", "-f", file)
    return file


def is_there(*programs):
    """Whether the programs are installed; says aloud which aren't."""
    missing = [name for name in programs if not shutil.which(name)]
    if missing:
        print(f"skipped: {' and '.join(missing)} not installed (./bootstrap bench)", flush=True)
    return not missing


def forget_connections(namespace, process=None):
    """Empties conntrack's table: the next flood of the same flows is one of new ones again. Returns when the process has told what
    it tells of connections' ends."""
    delete_all = struct.pack("=IHHIIBBH", 20, _CTNETLINK_DELETE, _REQUEST_AND_ACK, 1, 0, socket.AF_UNSPEC, 0, 0)
    with namespace.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER) as sock:
        sock.send(delete_all)
        sock.recv(4096)
    if not process:
        return
    cpu = cpu_seconds(process.pid)
    while True:
        time.sleep(0.1)
        before, cpu = cpu, cpu_seconds(process.pid)
        if cpu - before < 0.005:
            return


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


def settle(megabytes=512):
    """Before something is measured that takes much memory. The kernel frees what went before in the background, which takes a million
    elements a while. And a virtual machine's memory may be found by its host when it is used for the first time, at a hundred times
    the price: so much of it is used here and free again, in huge pages and in small ones, that nobody who is measured pays for that."""
    time.sleep(1)
    for advice in (mmap.MADV_HUGEPAGE, mmap.MADV_NOHUGEPAGE):
        with mmap.mmap(-1, megabytes << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
            memory.madvise(advice)
            memory.madvise(_MADV_POPULATE_WRITE)


def resident_megabytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024

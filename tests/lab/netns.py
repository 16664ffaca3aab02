"""Hosts made of network namespaces. Namespace is one host; connect() joins two of them, Switch many.

All of it lives in namespaces of its own, named after this process, so that nothing touches the machine's own
network and two runs never meet."""

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import subprocess

from lab.process import wait_until

_CLONE_NEWNET = 0x40000000
_SIOCGIFFLAGS = 0x8913
_IFF_RUNNING = 0x40
_libc = ctypes.CDLL(None, use_errno=True)
_PREFIX = "fwdlab"


def _setns(descriptor):
    if _libc.setns(descriptor, _CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"setns: {os.strerror(error)}")


def _ip(*arguments):
    """One `ip` command; its own words in the error when it fails."""
    result = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"ip {' '.join(arguments)}: {result.stderr.strip()}")


class Namespace:
    """One host. A context manager: leaving it removes the namespace with all that is in it."""

    _count = 0

    def __init__(self, host):
        Namespace._count += 1
        self.host = host
        self.name = f"{_PREFIX}-{os.getpid()}-{Namespace._count}-{host}"
        self._descriptor = None

    def __enter__(self):
        _ip("netns", "add", self.name)
        try:
            self._descriptor = os.open(f"/run/netns/{self.name}", os.O_RDONLY | os.O_CLOEXEC)
            self.sysctl("net/ipv6/conf/default/accept_dad", 0)
            self.sysctl("net/ipv6/conf/all/accept_dad", 0)
            self.ip("link set lo up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        _ip("netns", "delete", self.name)

    @contextlib.contextmanager
    def entered(self):
        """Only the calling thread is in the namespace; sockets opened and processes started meanwhile stay in it."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _setns(self._descriptor)
            try:
                yield
            finally:
                _setns(home)
        finally:
            os.close(home)

    def ip(self, *commands):
        """Each command is a line as one would type it after `ip`."""
        with self.entered():
            for command in commands:
                _ip(*command.split())

    def sysctl(self, name, value):
        with self.entered(), open(f"/proc/sys/{name}", "w", encoding="ascii") as file:
            file.write(str(value))

    def read(self, path):
        """A file below /proc/net as this host sees it, e.g. "netfilter/nfnetlink_queue"."""
        with self.entered(), open(f"/proc/thread-self/net/{path}", encoding="ascii") as file:
            return file.read()

    def socket(self, *arguments):
        with self.entered():
            return socket.socket(*arguments)

    def popen(self, argv, **options):
        with self.entered():
            return subprocess.Popen(argv, **options)

    def run(self, argv, **options):
        """Runs a program to its end; the result carries returncode, stdout and stderr as text."""
        options = {"capture_output": True, "text": True, "check": False, "timeout": 60} | options
        with self.entered():
            return subprocess.run(argv, **options)


def connect(left, left_device, right, right_device):
    """A cable between two hosts."""
    left.ip(f"link add {left_device} type veth peer name {right_device} netns {right.name}")
    left.ip(f"link set {left_device} up")
    right.ip(f"link set {right_device} up")
    for namespace, device in ((left, left_device), (right, right_device)):
        wait_until(lambda namespace=namespace, device=device: _running(namespace, device), 5, f"{device} is up")


def _running(namespace, device):
    """Whether the kernel has noticed that the cable is plugged in: it drops what is sent before."""
    with namespace.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        answer = fcntl.ioctl(sock, _SIOCGIFFLAGS, struct.pack("16sH14x", device.encode(), 0))
    return bool(struct.unpack("16sH14x", answer)[1] & _IFF_RUNNING)


def address(namespace, device, *addresses):
    """Addresses with prefix length, either family; usable at once."""
    for entry in addresses:
        ipv6 = ":" in entry
        namespace.ip(f"address add {entry} dev {device}{' nodad' if ipv6 else ''}")
        if ipv6 and device != "lo":
            wait_until(lambda entry=entry: _has_joined(namespace, entry), 5, f"{entry} answers its neighbours")


def _has_joined(namespace, entry):
    """Whether the host hears neighbour solicitations for its address (RFC 4291, 2.7.1): the kernel joins late."""
    packed = socket.inet_pton(socket.AF_INET6, entry.partition("/")[0])
    return f"ff0200000000000000000001ff{packed[-3:].hex()}" in namespace.read("igmp6")


class Switch:
    """A bridge in a namespace of its own."""

    def __init__(self):
        self._namespace = Namespace("switch")

    def __enter__(self):
        self._namespace.__enter__()
        self._namespace.ip("link add br0 type bridge", "link set br0 up")
        return self

    def __exit__(self, *_):
        self._namespace.__exit__()

    def plug(self, namespace):
        """Gives the host an eth0 on this switch."""
        port = f"p-{namespace.host}"
        connect(self._namespace, port, namespace, "eth0")
        self._namespace.ip(f"link set {port} master br0")


def left_behind():
    """Names of namespaces that this process made and that still exist."""
    prefix = f"{_PREFIX}-{os.getpid()}-"
    try:
        return sorted(name for name in os.listdir("/run/netns") if name.startswith(prefix))
    except FileNotFoundError:
        return []


def remove_abandoned():
    """Removes namespaces of runs that were killed before they could clean up."""
    try:
        names = os.listdir("/run/netns")
    except FileNotFoundError:
        return
    for name in names:
        prefix, _, rest = name.partition("-")
        owner = rest.partition("-")[0]
        if prefix == _PREFIX and owner.isdigit() and not os.path.exists(f"/proc/{owner}"):
            _ip("netns", "delete", name)

"""Real TCP and UDP between namespaces: listeners, connections, and what became of them."""

import contextlib
import errno
import socket
import threading
import time

INET = {4: socket.AF_INET, 6: socket.AF_INET6}
_PATIENCE = 0.8  # seconds; a first packet that was dropped is sent again after one


def endpoint(family, address, port):
    """An address as sockets take it."""
    return (address, port) if family == 4 else (address, port, 0, 0)


def open_socket(namespace, family, kind, source=None, source_port=0):
    """A socket in the namespace, bound if a source address is given."""
    sock = namespace.socket(INET[family], kind)
    if source:
        sock.bind(endpoint(family, source, source_port))
    return sock


class Listener:
    """A TCP server on all addresses of both families: sends `greeting`, then echoes until the peer ends."""

    def __init__(self, namespace, port, greeting=b""):
        self._greeting = greeting
        self._connections = []
        self._socket = namespace.socket(socket.AF_INET6, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("::", port))
        self._socket.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        for sock in [self._socket, *self._connections]:
            sock.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self._connections.append(connection)
                threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    def _echo(self, connection):
        with contextlib.suppress(OSError):
            connection.sendall(self._greeting)
            while data := connection.recv(1 << 16):
                connection.sendall(data)

    def accepted(self):
        """How many connections have come."""
        return len(self._connections)

    def send(self, data):
        """Speaks on the connection that came last, unasked."""
        self._connections[-1].sendall(data)


def connect(namespace, family, target, port, source=None, timeout=_PATIENCE):
    """An established TCP connection; OSError as connect() gives it, TimeoutError when nobody answers."""
    sock = open_socket(namespace, family, socket.SOCK_STREAM, source)
    try:
        sock.settimeout(timeout)
        sock.connect(endpoint(family, target, port))
        return sock
    except BaseException:
        sock.close()
        raise


def knock(namespace, family, target, port, source=None):
    """One first packet, whatever becomes of it: the socket is closed before TCP would send another."""
    with contextlib.suppress(OSError):
        connect(namespace, family, target, port, source, timeout=0.05).close()


def outcome(namespace, family, target, port, source=None):
    """What a TCP connection comes to: "open", "silence", "refused", or another error's name, and after how long."""
    start = time.monotonic()
    try:
        connect(namespace, family, target, port, source).close()
        result = "open"
    except TimeoutError:
        result = "silence"
    except ConnectionRefusedError:
        result = "refused"
    except OSError as error:
        result = errno.errorcode[error.errno]
    return result, time.monotonic() - start


def is_open(namespace, family, target, port, source=None):
    return outcome(namespace, family, target, port, source)[0] == "open"


def exchange(sock, data=b"are you there?\n"):
    """Whether the other side echoes the data."""
    sock.settimeout(_PATIENCE)
    try:
        sock.sendall(data)
        received = b""
        while len(received) < len(data):
            chunk = sock.recv(len(data) - len(received))
            if not chunk:
                return False
            received += chunk
        return received == data
    except OSError:
        return False


def receive(sock, size=1024, timeout=_PATIENCE):
    """What comes next; nothing when nothing comes."""
    sock.settimeout(timeout)
    try:
        return sock.recv(size)
    except TimeoutError:
        return b""


class UdpServer:
    """Answers each datagram with itself."""

    def __init__(self, namespace, family, port):
        self._socket = namespace.socket(INET[family], socket.SOCK_DGRAM)
        if family == 6:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        self._socket.bind(endpoint(family, "0.0.0.0" if family == 4 else "::", port))
        self._socket.settimeout(0.1)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()
        self._socket.close()

    def _serve(self):
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError):
                data, sender = self._socket.recvfrom(65535)
                self._socket.sendto(data, sender)


def udp_outcome(namespace, family, target, port, source=None):
    """What a datagram comes to: "answered", "silence" or the error that ICMP brought, and after how long."""
    with open_socket(namespace, family, socket.SOCK_DGRAM, source) as sock:
        sock.settimeout(_PATIENCE)
        start = time.monotonic()
        try:
            sock.connect(endpoint(family, target, port))
            sock.send(b"?")
            sock.recv(16)
            result = "answered"
        except TimeoutError:
            result = "silence"
        except OSError as error:
            result = errno.errorcode[error.errno]
        return result, time.monotonic() - start

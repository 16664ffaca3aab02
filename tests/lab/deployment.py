"""The reference deployment on one bridge: a client, a load balancer and three servers, each server with nginx, the
application, sshd, MariaDB and fwd. Deployment is the only way in; it is a context manager."""

import contextlib
import dataclasses
import pathlib
import tempfile

from lab import mariadb, services
from lab.firewall import Firewall
from lab.netns import Namespace, Switch, address, remove_abandoned
from lab.process import wait_until

# The client is in a network of its own on the same wire, as a stranger from the internet would be.
ADDRESSES = {
    "client": ("198.51.100.7", "2001:db8:2::7"),
    "lb": ("10.0.0.2", "2001:db8:1::2"),
    "web01": ("10.0.0.11", "2001:db8:1::11"),
    "web02": ("10.0.0.12", "2001:db8:1::12"),
    "web03": ("10.0.0.13", "2001:db8:1::13"),
}
SERVERS = ("web01", "web02", "web03")
PORTS = {22: "ssh", 80: "http", 443: "https", 3306: "mariadb", 8080: "app"}

POLICY = """\
# The reference deployment: web and ssh for everybody, the database for the servers among themselves.
set peers = { 10.0.0.11, 10.0.0.12, 10.0.0.13, 2001:db8:1::11, 2001:db8:1::12, 2001:db8:1::13 }

default deny in
default allow out

allow in 80,443/tcp                                   comment "web"
allow in ssh                                          comment "administration"
allow in proto tcp from @peers to any port 3306       comment "database"

expect allow in tcp 198.51.100.7   to 10.0.0.11      port 443
expect deny  in tcp 198.51.100.7   to 10.0.0.11      port 3306
expect deny  in tcp 2001:db8:2::7  to 2001:db8:1::11 port 3306
expect allow in tcp 10.0.0.12      to 10.0.0.11      port 3306
"""


def expected_open(source, port):
    """What the policy means for a connection from host `source` to any other server's port."""
    return port in (22, 80, 443) or (port == 3306 and source in SERVERS)


@dataclasses.dataclass
class Host:
    namespace: Namespace
    name: str
    ipv4: str
    ipv6: str

    def address(self, family):
        return self.ipv4 if family == 4 else self.ipv6


class Deployment:
    def __init__(self):
        self._stack = contextlib.ExitStack()
        self.hosts = {}
        self.databases = {}
        self.firewalls = {}
        self.directory = None
        self.certificate = None

    def __enter__(self):
        try:
            remove_abandoned()
            temporary = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="fwd-lab-"))
            self.directory = pathlib.Path(temporary)
            self.directory.chmod(0o711)  # mariadbd isn't root and has to pass through
            self._network()
            self._services()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_):
        self._stack.close()

    @property
    def primary(self):
        return self.databases["web01"]

    def start_firewalls(self):
        """One daemon per server, each with the same policy; they stay until the deployment ends."""
        for name in SERVERS:
            firewall = Firewall(self.hosts[name].namespace, self.directory / name / "fwd", POLICY)
            self.firewalls[name] = self._stack.enter_context(firewall)

    def _network(self):
        switch = self._stack.enter_context(Switch())
        for name, (ipv4, ipv6) in ADDRESSES.items():
            namespace = self._stack.enter_context(Namespace(name))
            switch.plug(namespace)
            address(namespace, "eth0", f"{ipv4}/24", f"{ipv6}/64")
            for network in ("10.0.0.0/24", "198.51.100.0/24", "2001:db8:1::/64", "2001:db8:2::/64"):
                namespace.ip(f"route replace {network} dev eth0")
            self.hosts[name] = Host(namespace, name, ipv4, ipv6)

    def _services(self):
        self.certificate, key = services.self_signed_certificate(self.directory)
        template = mariadb.prepare(self.directory)
        started = []
        for number, name in enumerate(SERVERS, start=1):
            host, directory = self.hosts[name].namespace, self.directory / name
            database = mariadb.Server(host, directory / "mariadb", template, number)
            self.databases[name] = database
            started += [
                (host, 3306, self._keep(database.process)),
                (host, 80, self._keep(services.nginx(host, directory / "nginx", self.certificate, key))),
                (host, 22, self._keep(services.sshd(host, directory / "sshd"))),
                (host, 8080, self._keep(services.application(host, directory / "app", ADDRESSES["web01"][0]))),
            ]
        balancer = self.hosts["lb"].namespace
        servers = [(name, *ADDRESSES[name]) for name in SERVERS]
        started.append((balancer, 443, self._keep(services.haproxy(balancer, self.directory / "lb", servers))))
        for host, port, process in started:
            services.wait_for_port(host, port, process)
        self._replicate()

    def _keep(self, process):
        return self._stack.enter_context(process)

    def _replicate(self):
        """One replica connects over IPv4, the other over IPv6."""
        for database in self.databases.values():
            database.wait_until_ready()
        self.primary.become_primary()
        self.databases["web02"].follow(ADDRESSES["web01"][0])
        self.databases["web03"].follow(ADDRESSES["web01"][1])
        for name in ("web02", "web03"):
            wait_until(lambda name=name: self.databases[name].replicates() and self.databases[name].orders() == 1, 30,
                       f"{name} replicates", interval=0.1)

    def replicated(self):
        """Writes an order on the primary; whether it arrives on both replicas."""
        self.primary.sql("INSERT INTO shop.orders (item) VALUES ('checked')")
        wanted = self.primary.orders()
        try:
            for name in ("web02", "web03"):
                wait_until(lambda name=name: self.databases[name].orders() == wanted, 10, f"the row arrives on {name}",
                           interval=0.1)
        except TimeoutError:
            return False
        return True

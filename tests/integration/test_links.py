"""Interfaces that come, go and change their names while the daemon runs: a rule follows the name."""

from harness import SHORT
from lab.netns import address, connect
from lab.process import wait_until
from load import Fault
from packets import Flow, RawReceiver, send_raw

PORT = 81
NETWORKS = ("192.0.2", "203.0.113")


class Links(Fault):
    policy = "default deny in\nallow in 80/tcp\nallow in on uplink0 81/tcp\n"

    def setUp(self):
        super().setUp()
        self.others = {}
        for number, device in enumerate(("uplink0", "spare0")):
            other = self.host(f"other{number}")
            connect(other, "eth0", self.server, device)
            address(other, "eth0", f"{NETWORKS[number]}.1/24")
            address(self.server, device, f"{NETWORKS[number]}.2/24")
            self.others[number] = other

    def comes_through(self, number, wanted):
        """Whether a SYN from that host to the port reaches the server's own ears."""
        source, target = f"{NETWORKS[number]}.1", f"{NETWORKS[number]}.2"
        with RawReceiver(self.server, 4, 6) as receiver:
            payload = Flow(4, source, target).tcp(PORT)
            send_raw(self.others[number], 4, source, target, 6, payload)
            return receiver.receives(payload, 2 if wanted else SHORT)

    def rename(self, before, after):
        self.server.ip(f"link set {before} down", f"link set {before} name {after}", f"link set {after} up")

    def test_a_rule_follows_the_name_of_an_interface(self):
        with self.load() as load:
            self.assertTrue(self.comes_through(0, True))
            self.assertFalse(self.comes_through(1, False))
            self.rename("uplink0", "old0")
            self.rename("spare0", "uplink0")
            self.assertFalse(self.comes_through(0, False))
            wait_until(lambda: self.comes_through(1, True), 5, "packets of the interface that has the name now")
            self.assertGreaterEqual(load.wait_for_new(3, 5), 3)
        self.assert_held(load)

    def test_an_interface_goes_while_packets_of_it_wait(self):
        source, target = "198.51.100.1", "198.51.100.2"
        with self.load() as load:
            for number in range(10):
                name = f"brief{number}"
                other = self.host(f"brief{number}")
                connect(other, "eth0", self.server, name)
                address(other, "eth0", f"{source}/24")
                address(self.server, name, f"{target}/24")
                for port in range(1000, 1100):
                    send_raw(other, 4, source, target, 6, Flow(4, source, target).tcp(port))
                self.server.ip(f"link delete {name}")
            self.assertGreaterEqual(load.wait_for_new(3, 5), 3)
        self.assert_held(load)
        self.assertTrue(self.fwd.process.running())
        self.assert_queue_rests()

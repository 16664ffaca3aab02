"""The metrics agree with the traffic, whatever way they go, and Prometheus' own tools have nothing to say against them."""

import contextlib
import http.client
import shutil
import socket
import subprocess
import unittest

from harness import FAMILIES, SERVER, STRANGER, FwdTest
from lab.process import Process, wait_until
from lab.unix_http import UnixConnection
from load import flood, forged_sources
from scrape import Page, TcpConnection, fetch, scrape
from traffic import Listener, is_open, outcome

POLICY = """default deny in
allow in 80,443/tcp comment "web"
reject in 81/tcp
limit in 22/tcp
"""


def checked(page):
    """The page, which promtool has nothing to say against."""
    if not shutil.which("promtool"):
        raise unittest.SkipTest("needs promtool (Debian: prometheus)")
    result = subprocess.run(["promtool", "check", "metrics"], input=page.text, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", ""), result
    return page


def left_out(page, other):
    """The names of families that a page has and the other hasn't."""
    return {name for name, _ in page.series()} - {name for name, _ in other.series()}


class Metrics(FwdTest):
    policy = POLICY

    def page(self):
        return scrape(UnixConnection(self.fwd.socket))

    def test_promtool_has_no_complaint(self):
        for port in (80, 81, 82):
            is_open(self.client, 4, SERVER[4], port)
        checked(self.page())

    def test_packets_and_verdict_times_are_those_of_the_traffic(self):
        before = self.page()
        with Listener(self.server, 80):
            for family in FAMILIES:
                self.assertTrue(is_open(self.client, family, SERVER[family], 80))
                self.assertEqual(is_open(self.client, family, SERVER[family], 81), False)
                self.assertEqual(is_open(self.client, family, SERVER[family], 3306), False)
        self.assert_queue_rests()
        after = self.page()
        grown = {key: after.get("fwd_packets_total", hook="input", action=key[0], reason=key[1]) -
                 before.get("fwd_packets_total", hook="input", action=key[0], reason=key[1])
                 for key in (("accept", "rule"), ("drop", "default"), ("reject", "rule"))}
        self.assertEqual(grown, {("accept", "rule"): 2, ("drop", "default"): 2, ("reject", "rule"): 2})
        packets = after.sum("fwd_packets_total")
        self.assertEqual(after.get("fwd_verdict_duration_seconds_count"), packets)
        self.assertEqual(after.get("fwd_verdict_duration_seconds_bucket", le="+Inf"), packets)
        self.assertEqual(after.sum("fwd_queue_packets_total"), packets)
        self.assertGreater(after.get("fwd_verdict_duration_seconds_sum"), 0)
        self.assertEqual(after.sum("fwd_kernel_copy_packets_total"), 0)

    def test_each_rule_has_its_packets_under_the_id_that_records_have(self):
        web, rejecting, limit = (rule["id"] for rule in self.fwd.json("list")["rules"])
        with Listener(self.server, 443):
            self.assertTrue(is_open(self.client, 4, SERVER[4], 443))
        is_open(self.client, 4, SERVER[4], 81)
        page = self.page()
        self.assertEqual(page.get("fwd_rule_packets_total", rule_id=web, action="accept"), 1)
        self.assertEqual(page.get("fwd_rule_packets_total", rule_id=rejecting, action="reject"), 1)
        self.assertEqual(page.get("fwd_rule_packets_total", rule_id=limit, action="limit"), 0)
        self.assertEqual(page.sum("fwd_rule_packets_total"), page.sum("fwd_packets_total"))

    def test_connections_are_counted_by_the_service_that_the_policy_names(self):
        with Listener(self.server, 443):
            for family in FAMILIES:
                self.assertTrue(is_open(self.client, family, SERVER[family], 443))
        with Listener(self.client, 80):  # goes out: no connection to a service of this host
            self.assertTrue(is_open(self.server, 4, STRANGER[4], 80))
        is_open(self.client, 4, SERVER[4], 81)
        is_open(self.client, 4, SERVER[4], 3306)
        is_open(self.client, 4, SERVER[4], 22)
        page = self.page()
        counts = {(labels["service"], labels["action"]): page.get("fwd_connections_total", **labels)
                  for _, labels in page.series("fwd_connections_total")}
        self.assertEqual({key: count for key, count in counts.items() if count},
                         {("https", "accept"): 2, ("81", "reject"): 1, ("other", "drop"): 1, ("ssh", "limit"): 1})
        self.assertEqual({service for service, _ in counts}, {"http", "https", "81", "ssh", "other"})

    def test_the_page_doesn_t_grow_with_the_traffic(self):
        before = self.page()
        for port in (80, 81, 22, 3306, 31337):
            flood(self.client, forged_sources(2000), port, 2000)
        wait_until(lambda: self.page().sum("fwd_packets_total") + self.page().sum("fwd_kernel_copy_packets_total") >
                   5 * 1900, 10, "the flood is counted")
        self.assertEqual(sorted(map(str, self.page().series())), sorted(map(str, before.series())))

    def test_the_audit_log_s_equation_holds(self):
        is_open(self.client, 4, SERVER[4], 81)
        self.records(1, destination__port=81)
        page = self.page()
        self.assertEqual(page.get("fwd_audit_records_total", fate="written"), page.get("fwd_audit_decisions_total"))
        self.assertEqual(page.sum("fwd_audit_records_total") + page.get("fwd_audit_waiting_records"),
                         page.get("fwd_audit_decisions_total"))
        self.assertEqual(page.get("fwd_audit_trouble"), 0)

    def test_a_change_of_the_policy_lets_no_total_fall_and_takes_a_removed_rule_s_count_away(self):
        rejecting = self.fwd.json("list")["rules"][1]["id"]
        is_open(self.client, 4, SERVER[4], 81)
        before = self.page()
        self.assertEqual(before.get("fwd_rule_packets_total", rule_id=rejecting), 1)
        self.ctl(0, "delete", rejecting)
        self.ctl(0, "insert", "1", "deny in 82/tcp")
        after = self.page()
        self.assertEqual(after.values("fwd_rule_packets_total", rule_id=rejecting), [])
        now = after.counters()
        for key, value in before.counters().items():
            if dict(key[1]).get("rule_id") != rejecting:
                self.assertGreaterEqual(now.get(key, -1), value, key)
        self.assertEqual(after.get("fwd_generation"), self.fwd.status()["generation"])

    def test_the_health_of_the_daemon_and_its_mode_are_told(self):
        status = self.fwd.status()
        page = self.page()
        self.assertEqual(page.get("fwd_build_info", version=status["version"], generation=str(status["generation"])), 1)
        self.assertEqual([page.get(name) for name in ("fwd_healthy", "fwd_enabled", "fwd_observing")], [1, 1, 0])
        self.assertEqual(page.get("fwd_policy_rules"), 3)
        self.assertEqual(page.get("fwd_warnings"), len(status["warnings"]))
        self.assertEqual(page.get("fwd_conntrack_limit"), status["conntrack"]["limit"])
        self.assertEqual(page.values("fwd_queue_depth"), [0, 0])
        self.ctl(0, "mode", "observe")
        self.assertEqual(self.page().get("fwd_observing"), 1)
        self.ctl(0, "disable")
        self.assertEqual(self.page().get("fwd_enabled"), 0)

    def test_packets_that_the_kernel_s_copy_decides_are_counted_as_its_own(self):
        self.fwd.kill()
        self.assertFalse(is_open(self.client, 4, SERVER[4], 81))
        self.fwd.start()
        wait_until(lambda: self.page().get("fwd_kernel_copy_packets_total", action="drop") == 1, 3, "the copy's packet")
        self.assertEqual(self.page().get("fwd_kernel_copy_episodes_total"), 1)

    def test_who_may_not_read_gets_no_metrics(self):
        result = self.server.run(
            ["curl", "--silent", "--show-error", "--unix-socket", str(self.fwd.socket), "http://fwd/metrics"],
            user=12345, group=12345, extra_groups=[])
        self.assertIn("not_permitted", result.stdout + result.stderr)
        self.assertNotIn("fwd_packets_total", result.stdout)

    def test_other_paths_are_none(self):
        self.assertEqual(fetch(UnixConnection(self.fwd.socket), "/metrics/")[0], 404)


PORT = 9472


class Port(FwdTest):
    policy = POLICY + f"allow in {PORT}/tcp\n"
    settings = f'[metrics]\nlisten = "127.0.0.1:{PORT}"\n'

    def test_the_loopback_port_has_all_but_the_rules(self):
        is_open(self.client, 4, SERVER[4], 81)
        page = checked(scrape(TcpConnection(self.server, PORT)))
        whole = scrape(UnixConnection(self.fwd.socket))
        self.assertEqual(left_out(whole, page), {"fwd_rule_packets_total"})
        self.assertEqual(left_out(page, whole), set())
        self.assertEqual(page.get("fwd_packets_total", hook="input", action="reject", reason="rule"), 1)
        for rule in self.fwd.json("list")["rules"]:
            self.assertNotIn(rule["id"], page.text)

    def test_nothing_else_is_served_there_and_nothing_can_be_changed(self):
        for method, path, status in (("GET", "/v1/status", 404), ("POST", "/v1/disable", 404), ("GET", "/", 404),
                                     ("POST", "/metrics", 405), ("PUT", "/metrics", 405)):
            with self.subTest(method=method, path=path):
                self.assertEqual(fetch(TcpConnection(self.server, PORT), path, method)[0], status)
        self.assertEqual(fetch(TcpConnection(self.server, PORT), "/metrics", "GET", b"a body")[0], 413)
        self.assertTrue(self.fwd.status()["enabled"])

    def test_no_other_host_reaches_it_whatever_the_policy_says(self):
        self.assertEqual(outcome(self.client, 4, SERVER[4], PORT)[0], "refused")

    def test_many_clients_that_say_nothing_take_nothing_from_the_control_socket(self):
        with contextlib.ExitStack() as stack:
            for _ in range(16):
                sock = stack.enter_context(self.server.socket(socket.AF_INET, socket.SOCK_STREAM))
                sock.connect(("127.0.0.1", PORT))
                sock.sendall(b"GET /metrics HTTP/1.1\r\n")
            with self.server.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
                sock.settimeout(5)
                sock.connect(("127.0.0.1", PORT))
                self.assertIn(b" 503 ", sock.recv(4096))
            self.assertEqual(fetch(UnixConnection(self.fwd.socket))[0], 200)
        wait_until(lambda: self.answers() == 200, 5, "the port serves again")

    def answers(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return fetch(TcpConnection(self.server, PORT))[0]
        return None


class TakenPort(FwdTest):
    settings = f'[metrics]\nlisten = "[::1]:{PORT}"\n'

    def test_a_port_that_is_taken_keeps_no_firewall_from_starting_and_is_served_once_it_is_free(self):
        self.fwd.stop()
        with self.server.socket(socket.AF_INET6, socket.SOCK_STREAM) as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("::1", PORT))
            taken.listen()
            self.fwd.start()
            said = f"bind [::1]:{PORT}: Address already in use"
            self.assertIn(f"the metrics aren't served by TCP: {said}", self.fwd.status()["warnings"])
            self.assertEqual(self.fwd.process.output().count(said), 1)
        self.fwd.wait_for_log("metrics: works again", 5)
        self.assertEqual(scrape(TcpConnection(self.server, PORT, "::1")).get("fwd_healthy"), 1)


class Textfile(FwdTest):
    policy = POLICY

    def setUp(self):
        super().setUp()
        self.folder = self.directory / "textfile"
        self.file = self.folder / "fwd.prom"
        self.fwd.settings.write_text(f'[metrics]\ntextfile = "{self.file}"\ntextfile_seconds = 1\n', encoding="utf-8")
        self.fwd.stop()

    def read(self):
        return Page(self.file.read_text(encoding="utf-8"))

    def test_the_file_follows_the_traffic(self):
        self.folder.mkdir()
        self.fwd.start()
        wait_until(self.file.exists, 3, "the file")
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o644)
        is_open(self.client, 4, SERVER[4], 81)
        wait_until(lambda: self.read().get("fwd_packets_total", hook="input", action="reject", reason="rule") == 1, 5,
                   "the file has the packet")
        page = checked(self.read())
        self.assertEqual(left_out(scrape(UnixConnection(self.fwd.socket)), page), {"fwd_rule_packets_total"})
        self.fwd.stop()
        self.assertEqual([path.name for path in self.folder.iterdir()], ["fwd.prom"])

    def test_a_folder_that_is_missing_is_said_once_and_used_as_soon_as_it_is_there(self):
        self.fwd.start()
        self.fwd.wait_for_log("No such file or directory", 3)
        self.assertIn("the metrics' file isn't written", " ".join(self.fwd.status()["warnings"]))
        self.folder.mkdir()
        self.fwd.wait_for_log("works again", 5)
        self.assertEqual(self.fwd.process.output().count("No such file or directory"), 1)
        self.assertEqual(self.read().get("fwd_healthy"), 1)
        self.assertEqual(self.fwd.status()["warnings"], [])

    @unittest.skipUnless(shutil.which("prometheus-node-exporter"), "needs Debian's prometheus-node-exporter")
    def test_node_exporter_hands_it_on(self):
        self.folder.mkdir()
        self.fwd.start()
        wait_until(self.file.exists, 3, "the file")
        with Process(self.server, ["prometheus-node-exporter", "--collector.disable-defaults", "--collector.textfile",
                                   f"--collector.textfile.directory={self.folder}",
                                   "--web.listen-address=127.0.0.1:9100"], self.directory / "exporter.log") as exporter:
            wait_until(lambda: is_open(self.server, 4, "127.0.0.1", 9100), 10, "node_exporter listens", exporter)
            status, _, body = fetch(TcpConnection(self.server, 9100))
        self.assertEqual(status, 200)
        self.assertIn("node_textfile_scrape_error 0\n", body)
        page = Page(body)
        self.assertEqual(page.get("fwd_healthy"), 1)
        self.assertEqual(left_out(self.read(), page), set())

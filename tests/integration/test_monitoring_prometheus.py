"""The shipped configuration at work: Prometheus scrapes fwd, its alerts reach Alertmanager, and every query of the dashboard
finds what it asks for."""

import json
import re
import urllib.parse
import urllib.request

from harness import SERVER, FwdTest
from lab.process import Process, wait_until
from monitoring import SHIPPED, adapted, needs
from traffic import Listener, is_open

RULES = SHIPPED / "prometheus"
TARGET = "127.0.0.1:9472"
PROMETHEUS = "127.0.0.1:9090"
ALERTMANAGER = "127.0.0.1:9093"


class Scraped(FwdTest):
    policy = 'default deny in\nallow in 80/tcp\nreject in 81/tcp\nlimit in 22/tcp\n'
    settings = f'[metrics]\nlisten = "{TARGET}"\n'

    def setUp(self):
        super().setUp()
        fast = {"scrape_interval: 15s": "scrape_interval: 200ms", "evaluation_interval: 15s": "evaluation_interval: 200ms"}
        config = adapted(RULES / "prometheus.yml", self.directory / "prometheus.yml", fast)
        rules = (RULES / "fwd-alerts.yml").read_text(encoding="utf-8")
        (self.directory / "fwd-alerts.yml").write_text(re.sub(r"for: \d+[smh]", "for: 1s", rules), encoding="utf-8")
        self.prometheus = Process(
            self.server, ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.directory / 'tsdb'}",
                          f"--web.listen-address={PROMETHEUS}"], self.directory / "prometheus.log")
        self.stack.enter_context(self.prometheus)
        self.wait_for_samples('up{job="fwd"} == 1')

    def query(self, expression):
        """The values that Prometheus answers, by their labels."""
        with self.server.entered():
            url = f"http://{PROMETHEUS}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
            with urllib.request.urlopen(url, timeout=5) as answer:
                data = json.load(answer)["data"]["result"]
        return {tuple(sorted(sample["metric"].items())): float(sample["value"][1]) for sample in data}

    def value(self, expression):
        """That of a query with one answer."""
        (value,) = self.query(expression).values()
        return value

    def wait_for_samples(self, expression):
        def answers():
            try:
                return self.query(expression)
            except OSError:  # it doesn't listen yet, or is replaying its log
                return {}
        return wait_until(answers, 20, f"Prometheus finds {expression}", self.prometheus)

    def connect(self):
        """20 connections let in and 10 rejected, with samples before and after."""
        self.wait_for_samples('count_over_time(up{job="fwd"}[1m]) > 5')
        with Listener(self.server, 80):
            for port, count in ((80, 20), (81, 10)):
                for _ in range(count):
                    is_open(self.client, 4, SERVER[4], port)
        self.wait_for_samples('sum(fwd_packets_total{hook="input"}) >= 30')

    @needs("prometheus")
    def test_rate_queries_answer_with_the_traffic_that_was_sent(self):
        self.connect()
        for series, sent in (('fwd_connections_total{service="http", action="accept"}', 20),
                             ('fwd_connections_total{service="81", action="reject"}', 10),
                             ('fwd_packets_total{hook="input", action=~"drop|reject"}', 10),
                             ('fwd_verdict_duration_seconds_count', 30)):
            with self.subTest(series=series):
                self.assertEqual(self.value(f"sum({series})"), sent)
                # rate() extrapolates to the window's ends: a little more than the samples say, never less.
                rate = self.value(f"sum(rate({series}[1m]))")
                self.assertTrue(sent <= round(rate * 60, 6) <= 1.5 * sent, rate * 60)
        self.assertEqual(self.value('sum(rate(fwd_packets_total{hook="output"}[1m]))'), 0)

    @needs("prometheus")
    def test_every_query_of_the_dashboard_runs_and_finds_its_series(self):
        self.connect()
        self.ctl(0, "allow", "in", "8080/tcp")
        for name, expression in dashboard_queries():
            with self.subTest(panel=name):
                self.wait_for_samples(expression)

    @needs("prometheus", "prometheus-alertmanager", "amtool")
    def test_an_alert_fires_and_clears_and_alertmanager_has_it_meanwhile(self):
        config = adapted(SHIPPED / "alertmanager/alertmanager.yml", self.directory / "alertmanager.yml", {})
        alertmanager = Process(
            self.server, ["prometheus-alertmanager", f"--config.file={config}", f"--web.listen-address={ALERTMANAGER}",
                          f"--storage.path={self.directory / 'alertmanager'}", "--cluster.listen-address="],
            self.directory / "alertmanager.log")
        self.stack.enter_context(alertmanager)
        wait_until(lambda: self.amtool() is not None, 10, "Alertmanager answers", alertmanager)
        self.assertNotIn("FwdDown", self.amtool())
        self.fwd.kill()
        wait_until(lambda: "FwdDown" in self.amtool(), 20, "Alertmanager has the alert", alertmanager)
        self.assertEqual(self.amtool()["FwdDown"]["receivers"], [{"name": "pager"}])
        self.assertIn("fwd doesn't answer", self.amtool()["FwdDown"]["annotations"]["summary"])
        self.fwd.start()
        wait_until(lambda: "FwdDown" not in self.amtool(), 20, "the alert is resolved", alertmanager)
        self.assertEqual(self.query('ALERTS{alertname="FwdDown"}'), {})

    def amtool(self):
        """The alerts that Alertmanager has, by name; nothing while it doesn't answer."""
        result = self.server.run(["amtool", "alert", "query", "--output=json", f"--alertmanager.url=http://{ALERTMANAGER}"])
        return {alert["labels"]["alertname"]: alert for alert in json.loads(result.stdout)} if result.returncode == 0 else None


def dashboard_queries():
    """Panel and query of the dashboard, with Grafana's variables replaced as Grafana does."""
    dashboard = json.loads((SHIPPED / "grafana/fwd.json").read_text(encoding="utf-8"))
    for holder in [*dashboard["panels"], *dashboard["annotations"]["list"]]:
        for target in holder.get("targets", [holder]):
            expression = target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*")
            yield holder.get("title") or holder["name"], expression

"""What promtool and amtool say of the shipped rules and routes, without a daemon."""

import re
import subprocess
import unittest

from monitoring import SHIPPED, needs

RULES = SHIPPED / "prometheus"
UNTESTED = "This example has not been run by its authors."


@needs("promtool", "amtool")
class Shipped(unittest.TestCase):
    """What the programs' own checkers say."""

    def passes(self, *argv):
        result = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=RULES)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def test_promtool_accepts_configuration_and_rules_and_each_alert_fires_when_it_should(self):
        self.passes("promtool", "check", "config", "prometheus.yml")
        self.passes("promtool", "check", "rules", "--lint=all", "--lint-fatal", "fwd-alerts.yml", "fwd-services.yml")
        self.passes("promtool", "test", "rules", "fwd-alerts-test.yml")
        tests = (RULES / "fwd-alerts-test.yml").read_text(encoding="utf-8")
        for name in alerts():
            self.assertIn(f'{{alertname="{name}"}}', tests)

    def test_amtool_sends_critical_alerts_to_the_pager_and_others_by_mail(self):
        config = str(SHIPPED / "alertmanager/alertmanager.yml")
        self.passes("amtool", "check-config", config)
        for severity, receiver in (("critical", "pager"), ("warning", "mail"), ("info", "mail")):
            for name in (name for name, its_severity in alerts().items() if its_severity == severity):
                found = self.passes("amtool", "config", "routes", "test", "--config.file", config, f"alertname={name}",
                                    f"severity={severity}")
                self.assertEqual(found.strip(), receiver, name)

    def test_what_nobody_could_run_says_so(self):
        for path in (SHIPPED / "untested").iterdir():
            self.assertIn(UNTESTED, "".join(path.read_text(encoding="utf-8").splitlines()[:3]), path)


def alerts():
    """Severity of each shipped alert, by name."""
    text = "".join((RULES / name).read_text(encoding="utf-8") for name in ("fwd-alerts.yml", "fwd-services.yml"))
    return dict(re.findall(r"- alert: (\w+)\n.*?severity: (\w+)", text, re.S))

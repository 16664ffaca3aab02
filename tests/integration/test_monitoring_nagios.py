"""check_fwd, run by itself, by the Monitoring Plugins' own tools, and by Nagios."""

import grp
import os
import pwd
import re
import subprocess

from harness import SERVER, FwdTest
from lab.process import Process, anyone_may_run, wait_until
from monitoring import SHIPPED, adapted, needs
from traffic import Listener, is_open

CHECK = SHIPPED / "nagios/check_fwd"
OK, WARNING, CRITICAL, UNKNOWN = range(4)
NEGATE = "/usr/lib/nagios/plugins/negate"
NOBODY = 65534
READERS = "daemon"  # a group that is there

# The guidelines' form: 'label'=value[unit of measure];[warn];[crit];[min];[max]
_RANGE = r"@?(?:(?:~|-?[\d.]+)?:)?(?:-?[\d.]+)?"
_METRIC = re.compile(rf"'([^'=]+)'=(-?\d+(?:\.\d+)?)(s|ms|us|%|B|KB|MB|TB|c|)(;{_RANGE})?(;{_RANGE})?(;[\d.]*)?(;[\d.]*)?")


class Plugin(FwdTest):
    policy = "default deny in\nallow in 80/tcp\n"
    settings = f'[control]\nread_group = "{READERS}"\n'

    def check(self, status, *arguments, **options):
        """The one line that check_fwd prints: its text, and its metrics by label."""
        with anyone_may_run(CHECK) as program:
            result = subprocess.run([str(CHECK), "--socket", str(self.fwd.socket), *arguments], capture_output=True,
                                    text=True, check=False, **program, **options)
        self.assertEqual((result.returncode, result.stderr), (status, ""), result.stdout)
        word = ("OK", "WARNING", "CRITICAL", "UNKNOWN")[status]
        self.assertRegex(result.stdout, rf"\AFWD {word} - [^|\n]+( \| [^|\n]+)?\n\Z")
        text, _, data = result.stdout.partition(" | ")
        metrics = [_METRIC.fullmatch(entry) for entry in data.split()]
        self.assertNotIn(None, metrics, data)
        return text, {metric[1]: float(metric[2]) for metric in metrics}

    def test_a_reader_without_root_gets_the_numbers(self):
        with Listener(self.server, 80):
            for port in (80, 80, 80, 81, 81):
                is_open(self.client, 4, SERVER[4], port)
        text, metrics = self.check(OK, user=NOBODY, group=grp.getgrnam(READERS).gr_gid, extra_groups=[])
        self.assertIn("enforcing 1 rule", text)
        stats, status = self.fwd.json("stats"), self.fwd.status()
        self.assertEqual((metrics["accepted"], metrics["denied"]), (3, stats["packets"]["in"]["deny"]))
        self.assertGreaterEqual(metrics["denied"], 2)
        self.assertEqual((metrics["audit_lost"], metrics["queue_dropped"]), (0, 0))
        self.assertGreater(metrics["conntrack_entries"], 0)
        self.assertGreaterEqual(status["uptime_seconds"], metrics["uptime"])

    def test_thresholds_alert_as_the_guidelines_say(self):
        with Listener(self.server, 80):
            is_open(self.client, 4, SERVER[4], 80)
        for option, limit, status in (("-w", "0", WARNING), ("-c", "0", CRITICAL), ("-w", "1", OK), ("-c", "2:", CRITICAL),
                                      ("-w", "@1:5", WARNING), ("-w", "~:1", OK), ("-c", "@2:", OK)):
            with self.subTest(option=option, limit=limit):
                text, metrics = self.check(status, option, f"accepted={limit}")
                self.assertEqual(metrics["accepted"], 1)
                self.assertEqual("accepted is 1" in text, status != OK)

    def test_what_the_firewall_does_decides_the_state(self):
        self.ctl(0, "mode", "observe")
        self.assertIn("only observed", self.check(WARNING)[0])
        self.ctl(0, "mode", "enforce")
        self.ctl(0, "disable")
        self.assertIn("disabled", self.check(CRITICAL)[0])
        self.ctl(0, "enable")
        self.check(OK)

    def test_the_kernels_copy_in_charge_is_critical(self):
        self.fwd.kill()
        self.assertIn("doesn't run", self.check(CRITICAL)[0])
        with Listener(self.server, 80):
            self.assertTrue(is_open(self.client, 4, SERVER[4], 80))
        self.fwd.start()
        wait_until(lambda: self.fwd.status()["kernel_copy"]["active"], 3, "the episode is noticed")
        self.assertIn("(restart)", self.check(CRITICAL)[0])

    def test_no_answer_no_right_and_a_wrong_answer_are_unknown(self):
        self.assertIn("may not read", self.check(UNKNOWN, user=NOBODY, group=NOBODY, extra_groups=[])[0])
        with self.fwd.process.stopped():
            self.assertIn("hasn't answered in time", self.check(UNKNOWN, "-t", "1")[0])
        self.assertIn("isn't LABEL=RANGE", self.check(UNKNOWN, "-w", "speed=3")[0])
        self.assertIn("is no range", self.check(UNKNOWN, "-c", "denied=many")[0])
        for option in ("--help", "--version"):
            result = subprocess.run([str(CHECK), option], capture_output=True, text=True, check=False)
            self.assertEqual((result.returncode, result.stderr), (UNKNOWN, ""))
            self.assertIn("check_fwd", result.stdout)
        self.assertEqual(result.stdout.split()[1], self.ctl(0, "--version").split()[1])

    @needs(NEGATE)
    def test_the_monitoring_plugins_negate_understands_it(self):
        argv = [NEGATE, "-s", "-o", "CRITICAL", str(CHECK), "--socket", str(self.fwd.socket)]
        result = subprocess.run(argv, capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, CRITICAL, result.stdout)
        self.assertTrue(result.stdout.startswith("FWD CRITICAL - enforcing"), result.stdout)


class Nagios(FwdTest):
    policy = "default deny in\nallow in 80/tcp\n"

    @needs("nagios4")
    def test_nagios_runs_it_and_keeps_state_text_and_performance_data(self):
        adapted(SHIPPED / "nagios/fwd.cfg", self.directory / "fwd.cfg",
                {"$USER1$/check_fwd\n": f"$USER1$/check_fwd --socket {self.fwd.socket}\n"})
        (self.directory / "resource.cfg").write_text(f"$USER1$={CHECK.parent}\n", encoding="utf-8")
        (self.directory / "spool").mkdir()
        user = pwd.getpwuid(os.geteuid()).pw_name
        config = self.directory / "nagios.cfg"
        config.write_text(_NAGIOS.format(directory=self.directory, user=user), encoding="utf-8")
        (self.directory / "objects.cfg").write_text(_OBJECTS, encoding="utf-8")
        nagios = Process(self.server, ["nagios4", str(config)], self.directory / "nagios.out")
        self.stack.enter_context(nagios)
        wait_until(lambda: self.service().get("current_state") == "0", 15, "Nagios has run the check", nagios)
        service = self.service()
        self.assertIn("FWD OK - enforcing 1 rule", service["plugin_output"])
        self.assertTrue(service["performance_data"].startswith("'conntrack_used'="), service)
        self.assertEqual(service["long_plugin_output"], "")
        self.fwd.kill()
        wait_until(lambda: self.service().get("current_state") == "2", 15, "Nagios has seen the daemon's end", nagios)
        self.assertIn("the daemon doesn't run", self.service()["plugin_output"])

    def service(self):
        """What Nagios says of the service in its status file, once it has checked it."""
        path = self.directory / "status.dat"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        block = re.search(r"^servicestatus \{\n(.*?)\n\t\}", text, re.M | re.S)
        fields = dict(line.strip().partition("=")[::2] for line in block[1].splitlines()) if block else {}
        return fields if fields.get("has_been_checked") == "1" else {}


_NAGIOS = """cfg_file={directory}/objects.cfg
cfg_file={directory}/fwd.cfg
resource_file={directory}/resource.cfg
log_file={directory}/nagios.log
object_cache_file={directory}/objects.cache
status_file={directory}/status.dat
lock_file={directory}/nagios.pid
temp_file={directory}/nagios.tmp
temp_path={directory}
check_result_path={directory}/spool
query_socket={directory}/nagios.qh
nagios_user={user}
nagios_group={user}
check_external_commands=0
enable_notifications=0
check_for_updates=0
use_syslog=0
interval_length=1
status_update_interval=1
check_result_reaper_frequency=1
"""

_OBJECTS = """
define command {
    command_name always
    command_line /bin/true
}
define timeperiod {
    timeperiod_name 24x7
    alias           24x7
    sunday          00:00-24:00
    monday          00:00-24:00
    tuesday         00:00-24:00
    wednesday       00:00-24:00
    thursday        00:00-24:00
    friday          00:00-24:00
    saturday        00:00-24:00
}
define contact {
    contact_name                    root
    service_notification_commands   always
    host_notification_commands      always
    service_notification_period     24x7
    host_notification_period        24x7
    service_notification_options    c
    host_notification_options       d
}
define host {
    host_name           localhost
    address             127.0.0.1
    check_command       always
    max_check_attempts  1
    check_period        24x7
    contacts            root
}
define service {
    name            generic-service
    check_period    24x7
    contacts        root
    register        0
}
"""

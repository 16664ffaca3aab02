"""The audit log's receivers beside the file: they have what the file has, and nobody ever waits for them."""

import json
import os
import re
import unittest

from audit_log import chained, happening, tally
from harness import SERVER, FwdTest
from lab.process import wait_until
from lab.unix_http import UnixConnection
from receivers import JOURNALD, RSYSLOGD, Journal, Rsyslog, Socket
from scrape import scrape
from traffic import Listener, is_open, udp_outcome

_SYSLOG = re.compile(rb"<(\d+)>1 (\S+Z) (\S+) fwd (\d+) (\S+) - (.*)", re.S)


class Outputs(FwdTest):
    policy = 'default deny in\nallow in 80/tcp comment "the \\"web\\""\nallow in 9000/udp\n'
    settings = ""

    def setUp(self):
        super().setUp()
        self.fwd.stop()

    def start(self, settings):
        self.fwd.settings.write_text("[audit]\nfold_above = 0\n" + settings, encoding="utf-8")
        self.fwd.start()

    def lines(self):
        return self.fwd.audit_file.read_bytes().splitlines()

    def own_lines(self):
        """Those of the daemon that start() began, the first one of which has told its start."""
        lines = self.lines()
        starts = [at for at, line in enumerate(lines) if b'"action":"start"' in line]
        return lines[starts[-1]:]

    def output(self, name):
        return next(output for output in self.fwd.get("/v1/audit")["outputs"] if output["name"] == name)

    def settled(self):
        wait_until(lambda: self.fwd.status()["audit"]["waiting"] == 0, 5, "all is written")

    def traffic(self):
        with Listener(self.server, 80):
            self.assertTrue(is_open(self.client, 4, SERVER[4], 80))
        for family in (4, 6):
            udp_outcome(self.client, family, SERVER[family], 90)
        self.ctl(0, "allow", "in", "99/udp")
        self.settled()

    def flood(self, packets):
        """So many refused connections, each with its line."""
        with self.client.socket(2, 2) as sock:
            for number in range(packets):
                sock.sendto(b"?", (SERVER[4], 10000 + number % 40000))
        self.settled()


class Sockets(Outputs):
    def metrics(self, name):
        """What the metrics say of this receiver: whether it is up, and lines sent and missed."""
        page = scrape(UnixConnection(self.fwd.socket))
        return (page.get("fwd_audit_output_up", output=name),
                *(page.get("fwd_audit_output_lines_total", output=name, fate=fate) for fate in ("sent", "missed")))

    def told(self, name):
        """The same of one that is down, as `fwctl audit status` is told it."""
        state = self.output(name)
        return 0, state["sent"], state["missed"]

    def test_the_metrics_tell_of_each_receiver_and_of_none_that_isnt_set(self):
        path, absent = self.directory / "syslog", self.directory / "absent"
        self.start("")
        self.assertEqual(scrape(UnixConnection(self.fwd.socket)).values("fwd_audit_output_up"), [])
        self.fwd.stop()
        with Socket(path) as messages:
            self.start(f'syslog = "{path}"\njournal = "{absent}"\n')
            self.traffic()
            wait_until(lambda: messages.read() and self.output("syslog")["waiting"] == 0, 5, "all is sent")
            self.assertEqual(self.metrics("syslog"), (1, len(self.own_lines()), 0))
            self.assertEqual(self.metrics("journal"), (0, 0, 0))
            self.assertEqual(scrape(UnixConnection(self.fwd.socket)).get("fwd_audit_output_waiting_lines", output="journal"),
                             len(self.own_lines()))
            self.flood(1500)
            wait_until(lambda: self.output("syslog")["missed"] > 0, 5, "something is missed")
            wait_until(lambda: self.metrics("syslog") == self.told("syslog"), 5, "both say how much")

    def test_both_get_every_line_of_the_file(self):
        journal, syslog = self.directory / "journal", self.directory / "syslog"
        with Socket(journal) as entries, Socket(syslog) as messages:
            self.start(f'journal = "{journal}"\nsyslog = "{syslog}"\nsyslog_facility = "local3"\n')
            for _ in range(3):
                self.traffic()
                entries.read(), messages.read()
            for name in ("journal", "syslog"):
                wait_until(lambda: entries.read() and messages.read() and self.output(name)["waiting"] == 0, 3, "all is sent")
            self.assertRegex(self.ctl(0, "audit", "status"), r"To the journal +\d+ sent, 0 missed, 0 waiting")
            self.fwd.stop()
            lines = self.own_lines()
            fields = [dict(field.split(b"=", 1) for field in entry.splitlines()) for entry in entries.read()]
            self.assertEqual([entry[b"FWD_RECORD"] for entry in fields], lines)
            self.assertEqual([entry[b"MESSAGE"].decode() for entry in fields],
                             [json.loads(line)["message"] for line in lines])
            matches = [_SYSLOG.fullmatch(message) for message in messages.read()]
            self.assertEqual([match[6] for match in matches], lines)
            self.assertLessEqual({(b"158", b"fwd.verdict"), (b"157", b"fwd.health"), (b"157", b"fwd.admin")},
                                 {(match[1], match[5]) for match in matches})
            self.assertEqual([match[2].decode() for match in matches], [json.loads(line)["@timestamp"] for line in lines])

    def test_one_that_doesnt_read_holds_nobody_up_and_what_it_misses_is_counted_and_told(self):
        path = self.directory / "syslog"
        with Socket(path) as messages:
            self.start(f'syslog = "{path}"\n')
            self.flood(1500)
            self.assertEqual(udp_outcome(self.client, 4, SERVER[4], 90)[0], "silence")
            wait_until(lambda: self.output("syslog")["missed"] > 0, 5, "something is missed")
            self.assertEqual(self.output("syslog")["trouble"], "Resource temporarily unavailable")
            self.assertEqual(self.fwd.status()["audit"]["lost"], 0)
            self.records(1, event__action="output_lost", event__reason="syslog")
            wait_until(lambda: messages.read() and b"output_back" in self.fwd.audit_file.read_bytes(), 20, "the end is told",
                       interval=0.01)
            wait_until(lambda: messages.read() and self.output("syslog")["waiting"] == 0, 5, "all is sent")
            told = self.records(1, event__action="output_back")[0]["fwd"]["missed"]
            state = self.output("syslog")
            self.assertEqual((state["missed"], state["trouble"]), (told, ""))
            self.assertEqual(len(messages.read()), state["sent"])
            self.assertEqual(state["sent"] + state["missed"], len(self.own_lines()))
            self.fwd.stop()
        lines = self.fwd.audit_file.read_bytes().splitlines(keepends=True)
        self.assertEqual(chained(lines), [])
        self.assertGreaterEqual(tally(lines)["written"], 1500)

    def test_one_that_isnt_there_is_found_when_it_comes_and_again_after_its_restart(self):
        path = self.directory / "journal"
        self.start(f'journal = "{path}"\n')
        self.traffic()
        self.assertEqual(self.output("journal")["trouble"], "No such file or directory")
        self.assertIn("No such file or directory", self.ctl(0, "audit", "status"))
        for _ in range(2):
            with Socket(path) as entries:
                self.traffic()
                wait_until(lambda entries=entries: entries.read() and self.output("journal")["waiting"] == 0, 12, "all is sent")
            self.traffic()
        state = self.output("journal")
        self.assertEqual(state["missed"], 0)
        self.assertEqual(state["sent"] + state["waiting"], len(self.own_lines()))


@unittest.skipUnless(JOURNALD.exists(), "needs systemd-journald (Debian: systemd)")
class RealJournal(Outputs):
    def test_the_journal_has_the_records_by_their_fields(self):
        with Journal(self.directory) as journal:
            self.start(f'journal = "{journal.socket}"\n')
            self.traffic()
            self.fwd.stop()
            lines = self.own_lines()
            wait_until(lambda: len(journal.entries()) == len(lines), 5, "all entries are in the journal")
            entries = journal.entries()
            self.assertEqual([entry["FWD_RECORD"] for entry in entries], [line.decode() for line in lines])
            for entry, record in zip(entries, map(json.loads, lines)):
                self.assertEqual((entry["MESSAGE"], entry["FWD_DATASET"], int(entry["FWD_SEQUENCE"])),
                                 (record["message"], happening(record)["dataset"], happening(record)["sequence"]))
                self.assertRegex(entry["MESSAGE_ID"], "^[0-9a-f]{32}$")
            denied = [entry for entry in entries if entry.get("FWD_ACTION") == "drop"]
            self.assertLessEqual({SERVER[4], SERVER[6]}, {entry["FWD_DESTINATION_IP"] for entry in denied})


@unittest.skipUnless(RSYSLOGD, "needs rsyslogd (Debian: rsyslog)")
class RealRsyslog(Outputs):
    def test_rsyslog_reads_header_and_record(self):
        with Rsyslog(self.directory) as rsyslog:
            self.start(f'syslog = "{rsyslog.socket}"\n')
            self.traffic()
            self.fwd.stop()
            lines = self.own_lines()
            wait_until(lambda: len(rsyslog.messages()) == len(lines), 5, "rsyslog has written all")
            for message, line in zip(rsyslog.messages(), lines):
                record = json.loads(line)
                self.assertEqual(json.loads(message["message"]), record)
                self.assertEqual((message["facility"], message["program"], message["dataset"], message["host"]),
                                 ("authpriv", "fwd", happening(record)["dataset"], os.uname().nodename))
                self.assertEqual(message["time"].replace("+00:00", "Z"), record["@timestamp"])

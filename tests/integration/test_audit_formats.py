"""Every kind of record, in both formats, against the published schemas; and the chain, which both have."""

import json
import socket
import unittest

import schemas
from audit_log import chained, happening, own, tally
from harness import SERVER, STRANGER
from lab.process import wait_until
from packets import Flow, send_raw
from test_audit_flow import FlowTest
from traffic import Listener, is_open, outcome, udp_outcome

_POLICY = """default deny in
allow in 80/tcp comment "web \\"quoted\\""
reject in 81/tcp
reject in 81/udp
limit in 82/tcp rate 1/30s
allow in proto icmp type echo-request
reject out to any port 25
"""


class Formats(FlowTest):
    policy = _POLICY

    def lines(self):
        return self.fwd.audit_file.read_bytes().splitlines(keepends=True)

    def all_kinds(self):
        """Makes records of every dataset and outcome; the lines, when the daemon has stopped."""
        with Listener(self.server, 80), Listener(self.server, 82):
            for family in (4, 6):
                self.assertTrue(is_open(self.client, family, SERVER[family], 80))
                self.assertEqual(outcome(self.client, family, SERVER[family], 81)[0], "refused")
                udp_outcome(self.client, family, SERVER[family], 81)
                udp_outcome(self.client, family, SERVER[family], 90)
            for _ in range(3):
                is_open(self.client, 4, SERVER[4], 82)
        self.client.run(["ping", "-c1", "-W1", SERVER[4]])
        outcome(self.server, 4, STRANGER[4], 25)
        send_raw(self.client, 4, STRANGER[4], SERVER[4], socket.IPPROTO_TCP, Flow(4, STRANGER[4], SERVER[4]).tcp(80, 0))
        self.ctl(0, "mode", "observe")
        udp_outcome(self.client, 4, SERVER[4], 91)
        self.ctl(0, "mode", "enforce")
        self.ctl(0, "allow", "in", "99/udp")
        self.ctl(2, "allow", "in", "80/nonsense")
        wait_until(lambda: self.fwd.status()["audit"]["waiting"] == 0, 3, "all is written")
        self.flush()
        wait_until(lambda: b"fwd.flow" in self.fwd.audit_file.read_bytes(), 5, "the ends of connections")
        self.flood()
        self.fwd.kill()
        with open(self.fwd.audit_file, "ab") as file:
            file.write(b'{"torn')
        self.fwd.start()
        self.fwd.stop()
        return self.lines()

    def flood(self):
        """Refused packets enough to be folded, from one source."""
        with self.client.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for port in range(2000, 2100):
                sock.sendto(b"?", (SERVER[4], port))
        wait_until(lambda: any("packets" in own(record) and happening(record)["dataset"] == "fwd.verdict"
                               for record in map(json.loads, self.lines())), 4, "a folded line")

    def assert_all_kinds(self, lines, schema):
        records = [json.loads(line) for line in lines]
        for record in records:
            self.assertEqual(schema.faults(record), [], record)
        self.assertEqual(chained(lines), [])
        verdicts = {(happening(record)["action"], happening(record)["reason"]) for record in records
                    if happening(record)["dataset"] == "fwd.verdict"}
        self.assertLessEqual({("accept", "rule"), ("accept", "observe"), ("drop", "default"), ("drop", "invalid"),
                              ("drop", "rate_limit"), ("reject", "rule")}, verdicts)
        self.assertLessEqual({"fwd.verdict", "fwd.flow", "fwd.admin", "fwd.health"},
                             {happening(record)["dataset"] for record in records})
        self.assertLessEqual({"start", "stop", "repair"}, {happening(record)["action"] for record in records})
        output = self.ctl(0, "--state", str(self.fwd.state), "audit", "verify", str(self.fwd.audit_file))
        self.assertIn("Intact", output)
        counts = tally(lines)
        self.assertIn(f"= {counts['written']} written + {counts['folded']} folded + {counts['lost']} lost", output)
        return records

    def assert_change_is_found(self, lines):
        self.fwd.audit_file.write_bytes(b"".join(lines).replace(SERVER[4].encode(), b"10.0.0.99", 1))
        output = self.ctl(1, "--state", str(self.fwd.state), "audit", "verify", str(self.fwd.audit_file))
        self.assertIn("the line was changed", output)


class InEcs(Formats):
    settings = "[audit]\nfold_above = 20\n"

    def test_every_field_is_published(self):
        self.assert_all_kinds(self.all_kinds(), schemas.Ecs())


@unittest.skipUnless(schemas.jsonschema, "needs python3-jsonschema")
class InEve(Formats):
    settings = '[audit]\nformat = "eve"\nfold_above = 20\n'

    def test_every_record_validates(self):
        lines = self.all_kinds()
        records = self.assert_all_kinds(lines, schemas.Eve())
        self.assert_change_is_found(lines)
        blocked = [record for record in records if record.get("dest_port") == 90]
        self.assertEqual({(record["event_type"], record["alert"]["action"], record["proto"]) for record in blocked},
                         {("alert", "blocked", "UDP")})
        accepted = [record for record in records if record.get("dest_port") == 80 and record["proto"] == "TCP"
                    and happening(record).get("reason") == "rule"]
        self.assertEqual({(record["event_type"], record["flow"]["state"]) for record in accepted}, {("flow", "new")})
        self.assertEqual({own(record)["rule"]["name"] for record in accepted}, {'web "quoted"'})
        self.assertEqual({tuple(record["verdict"].get("reject", ())) for record in records
                          if record.get("dest_port") == 81 and record["event_type"] == "alert"}, {("tcp-reset",), ("icmp-prohib",)})

    def test_a_log_may_change_its_format_at_a_restart(self):
        udp_outcome(self.client, 4, SERVER[4], 90)
        wait_until(lambda: self.fwd.status()["audit"]["waiting"] == 0, 3, "all is written")
        self.fwd.stop()
        self.fwd.settings.write_text("", encoding="utf-8")
        self.fwd.start()
        udp_outcome(self.client, 4, SERVER[4], 90)
        self.fwd.stop()
        self.assertEqual(chained(self.lines()), [])
        self.assertIn("Intact",
                      self.ctl(0, "--state", str(self.fwd.state), "audit", "verify", str(self.fwd.audit_file)))

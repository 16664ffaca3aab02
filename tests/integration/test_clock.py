"""The wall clock jumps: nothing that fwd times may go by it. The daemon alone sees the jumps, through libfaketime."""

import datetime
import pathlib
import time
import unittest

from harness import SERVER, FwdTest
from lab.firewall import Firewall, field
from traffic import Listener, connect, exchange, is_open

LIBRARY = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
JUMPS = ("+1d", "-1d", "@1970-01-02 00:00:00")  # as in faketime(1)
POLICY = """default deny in
allow in 80/tcp
limit in 81/tcp rate 2/60s
"""


class JumpingClock(Firewall):
    """Its daemon's wall clock is what a file says."""

    @property
    def clock(self):
        return self.directory / "clock"

    def command(self):
        return ["env", f"LD_PRELOAD={LIBRARY}", f"FAKETIME_TIMESTAMP_FILE={self.clock}", "FAKETIME_CACHE_DURATION=1",
                "FAKETIME_DONT_FAKE_MONOTONIC=1", "DONT_FAKE_MONOTONIC=1",
                "ASAN_OPTIONS=verify_asan_link_order=0", *super().command()]

    def jump(self, to):
        self.clock.write_text(f"{to}\n", encoding="ascii")
        time.sleep(2)  # until the library has read it, and leases and counters had their turns


@unittest.skipUnless(LIBRARY, "needs libfaketime (Debian: faketime)")
class Clock(FwdTest):
    policy = POLICY

    def firewall(self, policy, settings="", name="fwd"):
        fwd = JumpingClock(self.server, self.directory / name, policy, settings)
        fwd.clock.write_text("+0\n", encoding="ascii")
        return fwd

    def test_leases_meters_and_connections_go_on_whatever_the_wall_clock_says(self):
        with Listener(self.server, 80), Listener(self.server, 81), connect(self.client, 4, SERVER[4], 80) as live:
            self.assertEqual([is_open(self.client, 4, SERVER[4], 81) for _ in range(3)], [True, True, False])
            for jump in JUMPS:
                with self.subTest(jump=jump):
                    self.fwd.jump(jump)
                    self.assertTrue(exchange(live))
                    self.assertTrue(is_open(self.client, 4, SERVER[4], 80))
                    self.assertFalse(is_open(self.client, 4, SERVER[4], 8080))
                    self.assertFalse(is_open(self.client, 4, SERVER[4], 81), "the meter's minute isn't over")
            records = self.records(1 + len(JUMPS), destination__port=80)

        # The workers have decided all of it, so no lease has run out, and what came first stands first.
        self.assertEqual({field(record, "fwd.decided_by") for record in records}, {"daemon"})
        days = [datetime.datetime.fromisoformat(field(record, "@timestamp")[:19]) for record in records]
        self.assertGreater(days[1] - days[0], datetime.timedelta(hours=20))
        self.assertGreater(days[1] - days[2], datetime.timedelta(hours=40))
        self.assertEqual(days[3].year, 1970)
        for name in ("event.sequence", "fwd.monotonic"):
            numbers = [field(record, name) for record in records]
            self.assertEqual(numbers, sorted(set(numbers)), name)


if __name__ == "__main__":
    unittest.main()

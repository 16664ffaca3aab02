"""What becomes of the audit log when its disk is full, its file is taken away, or it is rotated under load."""

import contextlib
import os
import signal
import subprocess
import time

from audit_log import chained, tally
from harness import SERVER, FwdTest
from lab.process import wait_until
from test_audit_kill import PORT, Datagrams
from traffic import UdpServer, udp_outcome

DISK = 4 * 1024 * 1024
SINK, RATED, SILENT = 9001, 9002, 9003


class Faults(FwdTest):
    policy = f"default deny in\nallow in {PORT}/udp\nallow in {SINK}/udp\n"
    settings = "[audit]\nfold_above = 0\nring_records = 64\n"

    def counts(self):
        return self.fwd.get("/v1/audit")["counts"]

    def settled(self):
        """The accounts when nothing waits any more."""
        wait_until(lambda: self.counts()["waiting"] == 0, 5, "all is told")
        return self.counts()

    def files(self):
        """All files of the log, oldest first."""
        rotated = sorted(self.log.glob("audit.json.*"), key=lambda path: -int(path.suffix[1:]))
        return [*rotated, self.fwd.audit_file]

    def assert_whole(self, counts):
        lines = b"".join(path.read_bytes() for path in self.files()).splitlines(keepends=True)
        self.assertEqual(chained(lines), [])
        told = tally(lines)
        self.assertEqual(told, {name: counts[name] for name in told})
        self.assertEqual(counts["decided"], sum(told.values()))
        self.assertIn("Intact", self.ctl(0, "--state", str(self.fwd.state), "audit", "verify", *map(str, self.files())))

    def firewall(self, policy, settings="", name="fwd"):
        fwd = super().firewall(policy, settings, name)
        self.log = fwd.directory / "log"
        self.log.mkdir()
        fwd.audit_file = self.log / "audit.json"
        fwd.queues = "0:0"  # with two a packet that another CPU takes may find room in the other worker's ring
        return fwd


class FullDisk(Faults):
    def firewall(self, policy, settings="", name="fwd"):
        fwd = super().firewall(policy, settings, name)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=755", "fwd-test", self.log], check=True)
        self.stack.callback(subprocess.run, ["umount", self.log], check=True)
        return fwd

    def fill(self):
        with contextlib.suppress(OSError), open(self.log / "other", "wb", buffering=0) as other:
            while other.write(bytes(4096)):
                pass

    def test_it_filters_on_counts_exactly_and_goes_on_when_there_is_room(self):
        with Datagrams(self.client):
            time.sleep(0.3)
            self.fill()
            wait_until(lambda: self.counts()["lost"] > 200, 10, "records are lost")
            counts = self.counts()
            self.assertEqual(counts["decided"], sum(counts[name] for name in ("written", "folded", "lost", "waiting")))
            self.assertEqual(self.fwd.audit_file.read_bytes()[-1:], b"\n")
            self.assertIn("No space left on device", self.fwd.get("/v1/audit")["trouble"])
            self.assertIn("the audit log can't be written", self.ctl(0, "status"))
            with UdpServer(self.server, 4, SINK):
                self.assertEqual(udp_outcome(self.client, 4, SERVER[4], SINK)[0], "answered")
        (self.log / "other").unlink()
        # The trouble is over with the pass that has written all of it, a moment later than nothing waits.
        wait_until(lambda: not self.fwd.get("/v1/audit")["trouble"], 5, "the log is written again")
        counts = self.settled()
        self.assertNotEqual(self.fwd.audit(event__reason="disk_full"), [])
        self.assert_whole(counts)


class BlockedDisk(FullDisk):
    settings = FullDisk.settings + 'full_disk = "block"\n'

    def test_it_filters_on_counts_exactly_and_goes_on_when_there_is_room(self):
        """Here it refuses what it can't record, and lets in again what it can."""
        with UdpServer(self.server, 4, SINK):
            self.assertEqual(udp_outcome(self.client, 4, SERVER[4], SINK)[0], "answered")
            self.fill()
            with Datagrams(self.client):
                wait_until(lambda: self.counts()["lost"] > 50, 10, "records are lost")
                self.assertEqual(udp_outcome(self.client, 4, SERVER[4], SINK)[0], "silence")
            (self.log / "other").unlink()
            counts = self.settled()
            self.assert_whole(counts)
            self.assertEqual(udp_outcome(self.client, 4, SERVER[4], SINK)[0], "answered")

    def test_it_binds_the_daemon_alone_as_the_manual_says(self):
        self.fwd.apply(self.policy + f"limit in {RATED}/udp rate 100/1m\nallow in log none {SILENT}/udp\n")
        with contextlib.ExitStack() as stack:
            for port in (SINK, RATED, SILENT):
                stack.enter_context(UdpServer(self.server, 4, port))
            self.fill()
            with Datagrams(self.client):
                wait_until(lambda: self.counts()["lost"] > 50, 10, "records are lost")
                for port, became in ((SINK, "silence"), (RATED, "answered"), (SILENT, "answered")):
                    self.assertEqual(udp_outcome(self.client, 4, SERVER[4], port)[0], became, port)
            self.fwd.stop()  # from here on the kernel's copy decides
            self.assertEqual(udp_outcome(self.client, 4, SERVER[4], SINK)[0], "answered")


class TakenAway(Faults):
    settings = "[audit]\nfold_above = 0\n"

    def test_a_file_renamed_under_load_is_noticed_without_a_signal_and_nothing_is_lost(self):
        with Datagrams(self.client):
            for number in (3, 2, 1):
                time.sleep(0.3)
                self.fwd.audit_file.rename(self.log / f"audit.json.{number}")
                wait_until(self.fwd.audit_file.exists, 1.2, "a new file")
        self.assertEqual(self.settled()["lost"], 0)
        self.assert_whole(self.counts())

    def test_a_file_deleted_under_load_is_made_again_and_verify_tells_what_is_missing(self):
        with Datagrams(self.client):
            time.sleep(0.3)
            self.fwd.audit_file.rename(self.log / "audit.json.2")
            wait_until(self.fwd.audit_file.exists, 1.2, "a new file")
            time.sleep(0.3)
            self.fwd.audit_file.unlink()
            wait_until(self.fwd.audit_file.exists, 1.2, "a new file")
            time.sleep(0.3)
        self.assertEqual(self.settled()["lost"], 0)
        output = self.ctl(1, "--state", str(self.fwd.state), "audit", "verify", *map(str, self.files()))
        self.assertRegex(output, r"audit.json:1: lines \d+ to \d+ are missing between .*audit.json.2:\d+ and here")

    def test_an_unwritable_folder_keeps_the_old_file_in_use(self):
        self.fwd.audit_file.rename(self.log / "audit.json.1")
        self.fwd.audit_file.mkdir()
        udp_outcome(self.client, 4, SERVER[4], 81)
        wait_until(lambda: b'"port":81' in (self.log / "audit.json.1").read_bytes(), 2, "the record")
        os.rmdir(self.fwd.audit_file)
        wait_until(self.fwd.audit_file.is_file, 1.2, "a new file")
        self.assert_whole(self.settled())


class Rotated(Faults):
    settings = "[audit]\nfold_above = 0\nrotate_size = 200000\nkeep = 1000\n"

    def test_by_size_and_by_signal_under_load_every_line_is_there_once(self):
        with Datagrams(self.client):
            for number in range(10):
                time.sleep(0.2)
                with contextlib.suppress(FileNotFoundError):
                    self.fwd.audit_file.rename(self.log / f"audit.json.{2000 - number}")
                self.fwd.process.signal(signal.SIGHUP)
        self.assertEqual(self.settled()["lost"], 0)
        # Who stops before the last signal has been obeyed leaves its lines in the file that was renamed, and no new one.
        wait_until(self.fwd.audit_file.exists, 10, "a new file")
        self.assertEqual(self.fwd.stop(), 0)  # what the last signals have to tell may rename files for as long as it runs
        files = self.files()
        self.assertGreater(len(files), 12)
        lines = sum(len(path.read_bytes().splitlines()) for path in files)
        self.assertRegex(self.ctl(0, "--state", str(self.fwd.state), "audit", "verify", *map(str, files)),
                         rf"Intact: .*, sequences 1 to {lines}\n")

    def test_only_so_many_files_are_kept(self):
        self.fwd.stop()
        self.fwd.settings.write_text("[audit]\nfold_above = 0\nrotate_size = 20000\nkeep = 3\n", encoding="utf-8")
        self.fwd.start()
        with Datagrams(self.client):
            time.sleep(1)
        self.assertEqual(self.fwd.stop(), 0)
        self.assertEqual([path.name for path in self.files()],
                         ["audit.json.3", "audit.json.2", "audit.json.1", "audit.json"])
        self.assertIn("Intact", self.ctl(0, "--state", str(self.fwd.state), "audit", "verify", *map(str, self.files())))

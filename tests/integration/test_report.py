"""fwctl report: the page of a real daemon's log, looked at in a real browser that has no network."""

import collections
import gzip
import json
import pathlib
import re
import struct
import zlib

from harness import PEER, SERVER, STRANGER, FwdTest
from lab.process import wait_until
from monitoring import needs
from traffic import Listener, is_open, knock

WEB, CLOSED = 8080, 3306
EVIL = "<script>document.title=1</script>"
DENIED_BY_DEFAULT = (0xCF, 0x3F, 0x4F)  # the colour of these bars by day
ACCEPTED = (0x2B, 0x7B, 0xB9)


def pixels(path):
    """A PNG of 8-bit RGB or RGBA (PNG specification, section 9): how often each colour occurs."""
    data = pathlib.Path(path).read_bytes()
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    assert depth == 8 and kind in (2, 6), (depth, kind)
    size = 3 if kind == 2 else 4
    chunks, at = b"", 8
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at:at + 8])
        chunks += data[at + 8:at + 8 + length] if name == b"IDAT" else b""
        at += length + 12
    raw, stride = zlib.decompress(chunks), width * size
    before, colours = bytearray(stride), collections.Counter()
    for row in range(height):
        kind, line = raw[row * (stride + 1)], bytearray(raw[row * (stride + 1) + 1:(row + 1) * (stride + 1)])
        for i in range(stride if kind else 0):
            left, up, corner = (line[i - size] if i >= size else 0), before[i], (before[i - size] if i >= size else 0)
            if kind == 4:
                guess = left + up - corner
                line[i] = line[i] + min((left, up, corner), key=lambda value: abs(guess - value)) & 255
            else:
                line[i] = line[i] + (left, up, (left + up) // 2)[kind - 1] & 255
        colours.update(bytes(line[i:i + 3]) for i in range(0, stride, size))
        before = line
    return colours


class Report(FwdTest):
    policy = f"default deny in\nallow in {WEB}/tcp comment \"web {EVIL}\"\ndeny in from {PEER[4]} comment \"{EVIL}\"\n"

    def setUp(self):
        super().setUp()
        with Listener(self.server, WEB):
            for _ in range(3):
                self.assertTrue(is_open(self.client, 4, SERVER[4], WEB))
        for source in (STRANGER[4], PEER[4]):
            knock(self.client, 4, SERVER[4], CLOSED, source)
        self.fwd.ctl("deny", "from", "192.0.2.1", "comment", EVIL)
        wait_until(lambda: self.fwd.audit(event__dataset="fwd.admin"), 3, "the change is on record")
        self.records(2, event__action="drop")

    def report(self, *arguments):
        return json.loads(self.ctl(0, "--json", "report", *arguments))

    def test_its_numbers_are_those_of_the_log(self):
        verdicts = self.fwd.audit(event__dataset="fwd.verdict")
        denied = [record for record in verdicts if record["event"]["action"] == "drop"]
        by_source = collections.Counter(record["source"]["ip"] for record in denied)
        report = self.report("--since", "1h")
        self.assertEqual((report["decided"], report["denied"]), (len(verdicts), len(denied)))
        self.assertEqual(report["accepted"], len(verdicts) - len(denied))
        self.assertEqual({entry["name"]: entry["denied"] for entry in report["top_sources"]}, by_source)
        self.assertEqual(report["missing_lines"], 0)
        self.assertEqual(report["foreign_lines"], 0)
        self.assertEqual(self.report("--since", "2w", "--until", "1w")["decided"], 0)

    def test_rotated_and_compressed_files_count_once(self):
        before = self.report()["decided"]
        rotated = pathlib.Path(f"{self.fwd.audit_file}.1")
        self.fwd.stop()
        self.fwd.audit_file.rename(rotated)
        self.fwd.start()
        knock(self.client, 4, SERVER[4], CLOSED)
        wait_until(lambda: self.fwd.audit(event__action="drop"), 3, "audit records")
        self.fwd.stop()
        after = before + len(self.fwd.audit(event__dataset="fwd.verdict"))
        for compress in (False, True):
            if compress:
                pathlib.Path(f"{rotated}.gz").write_bytes(gzip.compress(rotated.read_bytes()))
            report = self.report("--audit", str(self.fwd.audit_file))
            self.assertEqual((report["decided"], report["missing_lines"]), (after, 0))

    def test_a_page_is_written_whole_or_not_at_all(self):
        page = self.directory / "report.html"
        page.write_text("old", encoding="utf-8")
        output = self.ctl(0, "report", "--since", "1h", "--html", str(page))
        self.assertIn("connections were denied", output)
        self.assertTrue(page.read_text(encoding="utf-8").endswith("</html>\n"))
        self.assertEqual([path.name for path in self.directory.glob("report*")], ["report.html"])
        self.assertIn("can't write /nonexistent/report.html: No such file",
                      self.ctl(1, "report", "--html", "/nonexistent/report.html"))
        self.assertIn("would end before it begins", self.ctl(2, "report", "--since", "1h", "--until", "2h"))
        self.ctl(1, "report", "/nonexistent/audit.json")

    @needs("chromium")
    def test_a_browser_without_network_shows_the_plots_and_runs_no_script(self):
        page, picture = self.directory / "report.html", self.directory / "report.png"
        self.ctl(0, "report", "--html", str(page))
        text = page.read_text(encoding="utf-8")
        self.assertIsNone(re.search(r"https?:|url\(| src=|<link|@import", text))
        offline = self.host("offline")
        browser = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                   f"--user-data-dir={self.directory}/chromium"]
        dom = offline.run([*browser, "--dump-dom", f"file://{page}"]).stdout
        self.assertRegex(dom, "<title>Firewall report [0-9-]+</title>")
        self.assertNotIn("<script", dom)
        self.assertIn("&lt;script&gt;", dom)
        offline.run([*browser, "--window-size=500,1100", f"--screenshot={picture}", f"file://{page}"])
        colours = pixels(picture)
        self.assertGreater(colours[bytes(DENIED_BY_DEFAULT)], 20, "bars of denied connections")
        self.assertGreater(colours[bytes(ACCEPTED)], 20, "lines of accepted connections")

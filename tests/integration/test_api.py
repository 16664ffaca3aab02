"""The API on the Unix socket: who may ask, and what becomes of requests that are wrong."""

import contextlib
import grp
import json
import os
import pathlib
import socket
import subprocess
import time

from harness import FwdTest

_NOBODY = 65534
_SENT_AS = """
import socket, sys
sock = socket.socket(socket.AF_UNIX)
sock.connect(sys.argv[1])
sock.sendall(sys.argv[2].encode())
while data := sock.recv(65536):
    sys.stdout.buffer.write(data)
"""


def request(method, path, body=None, headers=()):
    """A request's bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: fwd", "Connection: close", *headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body.encode())}")
    return "\r\n".join(lines) + "\r\n\r\n" + (body or "")


def status_of(answer):
    """The HTTP status; None when there was no answer."""
    parts = answer.split(b" ", 2)
    return int(parts[1]) if len(parts) > 1 and parts[0].startswith(b"HTTP/1.") else None


def body_of(answer):
    return json.loads(answer.partition(b"\r\n\r\n")[2])


class Api(FwdTest):
    policy = "default deny in\nallow in 80/tcp\n"

    def connect(self):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(15)
        sock.connect(str(self.fwd.socket))
        return sock

    def answer(self, data):
        """All that comes back until the daemon closes the connection."""
        with self.connect() as sock:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(data.encode() if isinstance(data, str) else data)
            received = b""
            with contextlib.suppress(ConnectionResetError):
                while chunk := sock.recv(65536):
                    received += chunk
            return received

    def assert_error(self, answer, status, code=None):
        self.assertEqual(status_of(answer), status, answer[:300])
        if code:
            error = body_of(answer)["error"]
            self.assertEqual(error["code"], code)
            self.assertNotIn("\n", error["message"])

    def assert_unchanged(self):
        self.assertEqual(self.policy_text(), self.policy)
        self.assertEqual(len(self.fwd.json("list")["rules"]), 1)


class Requests(Api):
    def test_reading_and_changing(self):
        self.assertEqual(status_of(self.answer(request("GET", "/v1/status"))), 200)
        answer = self.answer(request("POST", "/v1/rules", json.dumps({"rule": "allow in 81/tcp"})))
        self.assertEqual(status_of(answer), 200)
        self.assertEqual(body_of(answer)["rule"]["number"], 2)

    def test_an_error_in_a_rule_has_its_place(self):
        answer = self.answer(request("POST", "/v1/rules", json.dumps({"rule": "allow in 80/tcq"})))
        self.assert_error(answer, 400, "syntax")
        self.assertGreater(body_of(answer)["error"]["diagnostics"][0]["column"], 1)

    def test_unknown_paths_and_methods(self):
        self.assert_error(self.answer(request("GET", "/v1/nothing")), 404)
        self.assert_error(self.answer(request("GET", "/")), 404)
        self.assert_error(self.answer(request("DELETE", "/v1/status")), 405)
        self.assert_error(self.answer(request("BREW", "/v1/status")), 405)

    def test_malformed_bodies_are_bad_requests(self):
        deep = "[" * 100_000
        for body in ("", "{", "nonsense", "[]", "null", '{"rule": 7}', '{"rule": "allow in 81/tcp", "position": "x"}',
                     '{"rule": "allow in 81/tcp", "position": -1}', '{"rool": "allow in 81/tcp"}',
                     '{"rule": "allow in 81/tcp"} trailing', '{"rule": "\\ud800"}', deep):
            with self.subTest(body[:40]):
                self.assert_error(self.answer(request("POST", "/v1/rules", body)), 400)
        self.assert_unchanged()

    def test_a_body_that_is_too_large_is_refused_before_it_is_read(self):
        head = request("PUT", "/v1/policy", headers=[f"Content-Length: {17 << 20}"])
        start = time.monotonic()
        self.assert_error(self.answer(head), 413)
        self.assertLess(time.monotonic() - start, 3)
        self.assert_unchanged()

    def test_a_body_must_say_how_long_it_is(self):
        head = request("PUT", "/v1/policy", headers=["Transfer-Encoding: chunked"])
        self.assert_error(self.answer(head + "2\r\n{}\r\n0\r\n\r\n"), 411)
        self.assert_unchanged()

    def test_headers_that_are_too_large_are_refused(self):
        answer = self.answer(request("GET", "/v1/status", headers=["X-Filler: " + "x" * 100_000]))
        self.assertIn(status_of(answer), range(400, 500))

    def test_what_is_no_http_is_refused(self):
        for data in (b"\0" * 100 + b"\r\n\r\n", b"GET\r\n\r\n", b"GET /v1/status HTTP/9.9\r\n\r\n",
                     b"GET /v1/status HTTP/1.1\r\nContent-Length: -1\r\n\r\n", os.urandom(500) + b"\r\n\r\n"):
            with self.subTest(data[:30]):
                status = status_of(self.answer(data))
                self.assertTrue(status is None or status in range(400, 506), status)
        self.ctl(0, "status")

    def test_a_request_cut_short_changes_nothing(self):
        whole = request("POST", "/v1/rules", json.dumps({"rule": "allow in 81/tcp"})).encode()
        for length in range(1, len(whole), 7):
            with self.connect() as sock:
                sock.sendall(whole[:length])
        time.sleep(0.2)
        self.assert_unchanged()

    def test_a_slow_client_is_cut_off_and_delays_nobody(self):
        with self.connect() as slow:
            slow.sendall(b"GET /v1/status HTTP/1.1\r\n")
            start = time.monotonic()
            self.ctl(0, "status")
            self.assertLess(time.monotonic() - start, 2)
            while slow.recv(4096):
                pass
            self.assertLess(time.monotonic() - start, 12)

    def test_bad_requests_cost_no_descriptors(self):
        folder = pathlib.Path(f"/proc/{self.fwd.process.pid}/fd")
        before = len(list(folder.iterdir()))
        for _ in range(50):
            self.answer(b"nonsense\r\n\r\n")
        time.sleep(0.3)
        self.assertLessEqual(len(list(folder.iterdir())), before + 2)

    def test_root_gets_in_while_another_user_holds_all_connections(self):
        script = ("import socket, sys, time\nheld = []\ntry:\n    for _ in range(200):\n        s = socket.socket(1)\n"
                  "        s.connect(sys.argv[1])\n        held.append(s)\nexcept OSError:\n    pass\n"
                  "print('held', flush=True)\ntime.sleep(30)")
        with subprocess.Popen(["/usr/bin/python3", "-c", script, str(self.fwd.socket)], stdout=subprocess.PIPE,
                              user=_NOBODY, group=_NOBODY, extra_groups=[]) as holder:
            self.addCleanup(holder.kill)
            holder.stdout.readline()
            self.ctl(0, "status")
            holder.kill()


class Permissions(Api):
    def as_user(self, data, user=_NOBODY, groups=()):
        argv = ["/usr/bin/python3", "-c", _SENT_AS, str(self.fwd.socket), data]
        return subprocess.run(argv, capture_output=True, check=False, user=user, group=user,
                              extra_groups=list(groups), timeout=30).stdout

    def test_a_stranger_may_neither_read_nor_change(self):
        for method, path, body in [("GET", "/v1/status", None), ("GET", "/v1/rules", None), ("GET", "/v1/policy", None),
                                   ("POST", "/v1/rules", '{"rule":"allow in 81/tcp"}'),
                                   ("DELETE", "/v1/rules?select=1", None), ("POST", "/v1/disable", "{}"),
                                   ("PUT", "/v1/policy", "{}"), ("GET", "/v1/nothing", None)]:
            with self.subTest(path=path):
                self.assert_error(self.as_user(request(method, path, body)), 403, "not_permitted")
        self.assert_unchanged()

    def test_fwctl_says_who_may_and_exits_with_4(self):
        options = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
        result = self.fwd.ctl("allow", "in", "81/tcp", **options)
        self.assertEqual(result.returncode, 4, result.stderr)
        self.assertIn("fwd-admin", result.stderr)
        result = self.fwd.ctl("disable", **options)
        self.assertEqual(result.returncode, 4, result.stderr)
        self.assert_unchanged()


class Groups(Permissions):
    """The settings name the groups; here ones that every Debian has."""

    settings = '[control]\nadmin_group = "adm"\nread_group = "games"\n'

    def test_the_reading_group_reads_and_does_not_change(self):
        games = grp.getgrnam("games").gr_gid
        self.assertEqual(status_of(self.as_user(request("GET", "/v1/status"), groups=[games])), 200)
        change = request("POST", "/v1/rules", '{"rule":"allow in 81/tcp"}')
        self.assert_error(self.as_user(change, groups=[games]), 403, "not_permitted")
        self.assert_unchanged()

    def test_the_administrators_group_changes(self):
        adm = grp.getgrnam("adm").gr_gid
        change = request("POST", "/v1/rules", '{"rule":"allow in 81/tcp"}')
        self.assertEqual(status_of(self.as_user(change, groups=[adm])), 200)

    def test_fwctl_says_who_may_and_exits_with_4(self):
        result = self.fwd.ctl("allow", "in", "81/tcp", user=_NOBODY, group=_NOBODY, extra_groups=[])
        self.assertEqual(result.returncode, 4)
        self.assertIn("adm", result.stderr)

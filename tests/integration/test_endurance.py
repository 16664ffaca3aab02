"""Again and again, under load: a daemon that is killed, a policy that is edited."""

import json
import random
import time
import urllib.parse

from lab.unix_http import UnixConnection
from load import Fault

GENERATIONS = 63
RULE = "allow in 81/tcp"


class Endurance(Fault):
    def test_a_hundred_kills_leave_the_table_as_it_was(self):
        seed = random.randrange(1 << 32)
        waits = random.Random(seed)
        before = self.fwd.table()
        with self.load() as load, self.subTest(seed=seed):
            for _ in range(2 * GENERATIONS):  # each start takes the next one, so the last one is the first again
                time.sleep(waits.uniform(0.01, 0.15))
                self.fwd.kill()
                self.fwd.start()
            self.assertGreaterEqual(load.wait_for_new(3, 5), 3)
        self.assert_held(load)
        self.assertEqual(self.fwd.table(), before)
        self.assertEqual([queue.number for queue in self.fwd.queue_lines()], [0, 1])
        self.assert_queue_rests()

    def edit(self, method, path, body=None):
        """Not by fwctl, whose sanitized start would take most of the time."""
        connection = UnixConnection(self.fwd.socket)
        connection.request(method, path, body)
        response = connection.getresponse()
        self.assertEqual(response.status, 200, response.read())
        connection.close()

    def test_a_thousand_edits_lose_nothing_and_let_nothing_in(self):
        with self.load() as load:
            for _ in range(500):
                self.edit("POST", "/v1/rules", json.dumps({"rule": RULE}))
                self.edit("DELETE", "/v1/rules?select=" + urllib.parse.quote(RULE))
            self.assertGreaterEqual(load.wait_for_new(3, 5), 3)
        self.assert_held(load)
        self.assert_queue_rests()

"""A MariaDB primary and its replicas, each with a small datadir of its own."""

import pathlib
import shutil
import subprocess

from lab.process import Process, wait_until

_SMALL = ["--innodb-buffer-pool-size=8M", "--innodb-log-file-size=4M", "--key-buffer-size=1M",
          "--aria-pagecache-buffer-size=1M", "--performance-schema=OFF", "--max-connections=40",
          "--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0"]

# "app" may be used from anywhere on purpose: what keeps strangers out in the lab is the firewall alone.
_ACCOUNTS = """
CREATE USER 'replica'@'%' IDENTIFIED BY 'replica';
GRANT REPLICATION SLAVE ON *.* TO 'replica'@'%';
CREATE USER 'app'@'%' IDENTIFIED BY 'app';
CREATE DATABASE shop;
CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY, item VARCHAR(40) NOT NULL);
GRANT SELECT, INSERT ON shop.* TO 'app'@'%';
INSERT INTO shop.orders (item) VALUES ('first');
"""


def prepare(directory):
    """An empty datadir that all servers start from."""
    template = pathlib.Path(directory, "mariadb-template")
    subprocess.run(["mariadb-install-db", "--no-defaults", "--user=mysql", "--auth-root-authentication-method=normal",
                    "--skip-test-db", "--skip-name-resolve", "--innodb-log-file-size=4M", f"--datadir={template}"],
                   check=True, capture_output=True)
    return template


class Server:
    """mariadbd in a namespace, as the user mysql."""

    def __init__(self, namespace, directory, template, number):
        self.namespace = namespace
        self._directory = pathlib.Path(directory)
        self._directory.mkdir(parents=True, exist_ok=True)
        data = self._directory / "data"
        shutil.copytree(template, data)
        for path in [self._directory, data, *data.rglob("*")]:
            shutil.chown(path, "mysql", "mysql")
        argv = ["mariadbd", "--no-defaults", f"--datadir={data}", f"--tmpdir={self._directory}",
                f"--socket={self._socket}", f"--pid-file={self._directory}/mariadbd.pid", "--bind-address=*",
                "--port=3306", "--skip-name-resolve", f"--server-id={number}", "--log-bin=binlog",
                "--relay-log=relay", *_SMALL]
        self.process = Process(namespace, argv, self._directory / "mariadbd.log", user="mysql", group="mysql",
                               extra_groups=[])

    @property
    def _socket(self):
        return self._directory / "sock"

    def wait_until_ready(self):
        def answers():
            return self._socket.exists() and self._client("SELECT 1").returncode == 0

        wait_until(answers, 40, f"MariaDB on {self.namespace.host} answers", self.process, interval=0.1)

    def _client(self, statements):
        argv = ["mariadb", "--no-defaults", f"--socket={self._socket}", "--user=root", "--skip-column-names", "--batch",
                "--execute", statements]
        return self.namespace.run(argv)

    def sql(self, statements):
        """Runs statements as the administrator on the host itself; the rows as text."""
        result = self._client(statements)
        if result.returncode != 0:
            raise RuntimeError(f"MariaDB on {self.namespace.host}: {result.stderr.strip()}")
        return result.stdout.strip()

    def become_primary(self):
        self.sql(_ACCOUNTS)

    def follow(self, primary):
        """Replicates from the server at the address `primary`."""
        self.sql(f"CHANGE MASTER TO MASTER_HOST='{primary}', MASTER_USER='replica', MASTER_PASSWORD='replica', "
                 "MASTER_CONNECT_RETRY=1, MASTER_USE_GTID=slave_pos; START SLAVE")

    def replicates(self):
        """Whether both replication threads run, as the server itself says."""
        return self.sql("SHOW GLOBAL STATUS LIKE 'Slave_running'").split()[-1] == "ON"

    def orders(self):
        """How many orders this server knows of; none while the table hasn't been replicated yet."""
        return int(self._client("SELECT COUNT(*) FROM shop.orders").stdout or 0)

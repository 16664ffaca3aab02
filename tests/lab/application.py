"""The application of the reference deployment: answers on port 8080 with what it reads from the MariaDB primary.

Usage: application.py HOST DATABASE_ADDRESS"""

import http.server
import socket
import subprocess
import sys

HOST, DATABASE = sys.argv[1:3]


def orders():
    """The number of orders, asked with the ordinary client program."""
    argv = ["mariadb", "--no-defaults", "--host", DATABASE, "--user", "app", "--password=app", "--connect-timeout=3",
            "--skip-column-names", "--batch", "--execute", "SELECT COUNT(*) FROM shop.orders"]
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=10).stdout.strip()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # pylint: disable=invalid-name
        try:
            status, text = 200, f"{orders()} orders, counted by {HOST}\n"
        except subprocess.SubprocessError as error:
            status, text = 502, f"{HOST} cannot reach the database: {error}\n"
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(text.encode())


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6  # dual stack: Linux answers IPv4 on it too


if __name__ == "__main__":
    Server(("::", 8080), Handler).serve_forever()

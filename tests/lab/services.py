"""The servers of the reference deployment besides the database: nginx, the application, sshd, haproxy. Each function
writes a configuration below `directory`, starts the real program in the namespace and returns its Process."""

import pathlib
import subprocess
import sys

from lab.process import Process, wait_until

SITE = "www.foobar.com"

_NGINX = """
daemon off;
user root;
worker_processes 1;
pid {directory}/nginx.pid;
error_log stderr;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  server {{
    listen 80;
    listen [::]:80;
    listen 443 ssl;
    listen [::]:443 ssl;
    server_name {site};
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    location = / {{ default_type text/plain; return 200 "{site} from {host}\\n"; }}
    location /orders {{ proxy_pass http://127.0.0.1:8080; }}
  }}
}}
"""

_SSHD = """
ListenAddress 0.0.0.0
ListenAddress ::
HostKey {directory}/host_key
PidFile {directory}/sshd.pid
UsePAM no
MaxStartups 100
"""

# The health check makes a connection a second to each server, as a real load balancer does.
_HAPROXY = """
global
  log stderr local0 err
defaults
  mode tcp
  timeout connect 2s
  timeout client 10s
  timeout server 10s
  default-server check inter 1s
frontend https_ipv4
  bind 0.0.0.0:443
  default_backend servers_ipv4
frontend https_ipv6
  bind :::443 v6only
  default_backend servers_ipv6
backend servers_ipv4
{ipv4}
backend servers_ipv6
{ipv6}
"""


def self_signed_certificate(directory):
    """Certificate and key files for the site; the certificate is its own CA."""
    certificate, key = pathlib.Path(directory, "site.crt"), pathlib.Path(directory, "site.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", f"/CN={SITE}", "-addext", f"subjectAltName=DNS:{SITE}",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


def _write(directory, name, text):
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / name
    file.write_text(text, encoding="utf-8")
    return str(file)


def nginx(namespace, directory, certificate, key):
    """Serves the site on 80 and 443, and the application's /orders behind it."""
    text = _NGINX.format(directory=directory, certificate=certificate, key=key, host=namespace.host, site=SITE)
    configuration = _write(directory, "nginx.conf", text)
    return Process(namespace, ["nginx", "-e", "stderr", "-p", str(directory), "-c", configuration],
                   pathlib.Path(directory, "nginx.log"))


def sshd(namespace, directory):
    """On port 22 with a host key of its own. A private /run gives it the empty directory it insists on."""
    configuration = _write(directory, "sshd_config", _SSHD.format(directory=directory))
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{directory}/host_key"], check=True)
    script = 'mount -t tmpfs tmpfs /run && mkdir -m 0755 /run/sshd && exec /usr/sbin/sshd -D -e -f "$0"'
    return Process(namespace, ["unshare", "--mount", "sh", "-c", script, configuration],
                   pathlib.Path(directory, "sshd.log"))


def haproxy(namespace, directory, servers):
    """Passes HTTPS on to `servers`, a list of (name, IPv4 address, IPv6 address), in turn."""
    lines = {"ipv4": "\n".join(f"  server {name} {ipv4}:443" for name, ipv4, _ in servers),
             "ipv6": "\n".join(f"  server {name} {ipv6}:443" for name, _, ipv6 in servers)}
    configuration = _write(directory, "haproxy.cfg", _HAPROXY.format(**lines))
    return Process(namespace, ["haproxy", "-db", "-f", configuration], pathlib.Path(directory, "haproxy.log"))


def application(namespace, directory, database):
    """The program behind nginx, on port 8080; `database` is the address of the MariaDB primary."""
    pathlib.Path(directory).mkdir(parents=True, exist_ok=True)
    script = pathlib.Path(__file__).with_name("application.py")
    return Process(namespace, [sys.executable, str(script), namespace.host, database],
                   pathlib.Path(directory, "application.log"))


def wait_for_port(namespace, port, process):
    """Until something listens on the TCP port, over IPv4 or IPv6."""
    def listening():
        wanted = f":{port:04X}"
        rows = (namespace.read("tcp") + namespace.read("tcp6")).splitlines()
        return any(row.split()[1].endswith(wanted) and row.split()[3] == "0A" for row in rows)

    wait_until(listening, 30, f"{namespace.host} listens on port {port}", process)

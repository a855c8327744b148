"""The servers that are compared, each as a command line on a given port."""

import os
import shutil
from pathlib import Path

from processes import Server, free_port

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("ZEROG_BUILD", ROOT / "build"))

# In the order in which they are reported; each round starts with another of them.
ALL = ["floor-uring", "zerog-uring", "floor-epoll", "zerog-epoll", "nginx", "h2o"]

# Whose cost is the price of the kernel for this subject.
FLOOR_OF = {
    "zerog-uring": "floor-uring",
    "zerog-epoll": "floor-epoll",
    "nginx": "floor-epoll",
    "h2o": "floor-epoll",
}

NGINX_CONFIG = """
daemon off;
worker_processes {threads};
pid {folder}/nginx.pid;
error_log {folder}/nginx.error;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    server_tokens off;
    keepalive_timeout 600;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} reuseport backlog=4096;
        location / {{
            default_type "text/plain; charset=utf-8";
            return 200 "Hello";
        }}
    }}
}}
"""

# h2o has no directive that returns a body: a small file is its nearest.
H2O_CONFIG = """
num-threads: {threads}
http1-request-timeout: 600
hosts:
  default:
    listen:
      host: 127.0.0.1
      port: {port}
    paths:
      /:
        file.file: {folder}/hello.txt
        file.etag: OFF
"""


def _require(path):
    if not Path(path).exists():
        raise FileNotFoundError(f"{path} is not built; \"./dev build\" makes it.")
    return str(path)


def is_available(name):
    """Peers are optional; our own programs must be there."""
    if name == "nginx":
        return find_nginx() is not None
    if name == "h2o":
        return shutil.which("h2o") is not None
    return True


def find_nginx():
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def _nginx(port, threads, folder):
    config = Path(folder) / "nginx.conf"
    config.write_text(NGINX_CONFIG.format(port=port, threads=threads, folder=folder))
    return [find_nginx(), "-c", str(config), "-p", str(folder), "-e", f"{folder}/nginx.start"]


def _h2o(port, threads, folder):
    (Path(folder) / "hello.txt").write_text("Hello")
    config = Path(folder) / "h2o.conf"
    config.write_text(H2O_CONFIG.format(port=port, threads=threads, folder=folder))
    return ["h2o", "-c", str(config)]


def command(name, port, threads, folder):
    """The command line that starts one subject."""
    if name == "nginx":
        return _nginx(port, threads, folder)
    if name == "h2o":
        return _h2o(port, threads, folder)
    program, io = name.split("-")
    if program == "floor":
        return [_require(BUILD / "floor"), "--io", io, "--port", str(port),
                "--threads", str(threads)]
    return [_require(BUILD / "hello"), "--listen", f"127.0.0.1:{port}", "--io", io,
            "--shards", str(threads)]


def start(name, threads, folder):
    """A Server, to be used in a with block."""
    port = free_port()
    return Server(command(name, port, threads, folder), port, f"{folder}/{name}.log")

"""What the integration tests share: a service under test, and clients that see every byte.

ZEROG_BUILD is the build folder, ZEROG_IO the backend (uring or epoll). With ZEROG_LONG set,
tests of endurance run in full size.
"""

import json
import os
import re
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("ZEROG_BUILD", os.path.join(ROOT, "build"))
IO = os.environ.get("ZEROG_IO", "epoll")
IS_LONG = bool(os.environ.get("ZEROG_LONG"))
START_SECONDS_MAX = 30
END_SECONDS_MAX = 20
REPLY_SECONDS_MAX = 20
RESIDENT_DRIFT_MAX = 64 * 1024


def program(name):
    return os.path.join(BUILD, name)


def has_sanitizer(name="hello"):
    """Is a program built with ASan? Its memory is not what the plan says then."""
    with open(program(name), "rb") as file:
        return b"__asan_init" in file.read()


def run(name, *arguments, **options):
    """Runs a program to its end: (exit status, stdout, stderr)."""
    result = subprocess.run([program(name), *map(str, arguments)], stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=60, check=False, **options)
    return result.returncode, result.stdout, result.stderr


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


class Reply:
    """One response, taken apart."""

    def __init__(self, head, body):
        lines = head.decode("latin-1").split("\r\n")
        self.version, status, self.reason = lines[0].split(" ", 2)
        self.status = int(status)
        self.fields = [tuple(line.split(": ", 1)) for line in lines[1:]]
        self.body = body

    def field(self, name):
        """The value of a header field, or None."""
        for known, value in self.fields:
            if known.lower() == name.lower():
                return value
        return None

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.reason} {self.fields} {self.body[:60]!r}>"


class Client:
    """One connection. A reset raises ConnectionResetError; an orderly end is read as b""."""

    def __init__(self, address, seconds_max=REPLY_SECONDS_MAX, receive_buffer_size=None):
        family = (socket.AF_UNIX if isinstance(address, str) else
                  socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        self.socket = socket.socket(family)
        self.socket.settimeout(seconds_max)
        if receive_buffer_size is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_size)
        self.socket.connect(address)
        if family != socket.AF_UNIX:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffered = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.socket.sendall(data)
        return self

    def get(self, target="/", *fields, method="GET"):
        """Sends a request without a body."""
        lines = [f"{method} {target} HTTP/1.1", "Host: test", *fields, "", ""]
        return self.send("\r\n".join(lines).encode("latin-1"))

    def post(self, target, body, *fields, method="POST"):
        """Sends a request with a body of known length."""
        lines = [f"{method} {target} HTTP/1.1", "Host: test", f"Content-Length: {len(body)}",
                 *fields, "", ""]
        return self.send("\r\n".join(lines).encode("latin-1") + body)

    def receive(self):
        data = self.socket.recv(1 << 20)
        self.buffered += data
        return data

    def reply(self, method="GET"):
        """Reads one response, no byte further."""
        while b"\r\n\r\n" not in self.buffered:
            if not self.receive():
                raise EOFError(f"the connection ended within a head: {self.buffered!r}")
        head, rest = self.buffered.split(b"\r\n\r\n", 1)
        reply = Reply(head, b"")
        size = int(reply.field("Content-Length") or 0)
        if method == "HEAD" or reply.status < 200 or reply.status in (204, 304):
            size = 0
        self.buffered = b""
        parts = [rest]
        received = len(rest)
        while received < size:
            data = self.socket.recv(1 << 20)
            if not data:
                raise EOFError(f"the connection ended {size - received} bytes too early")
            parts.append(data)
            received += len(data)
        whole = b"".join(parts)
        reply.body, self.buffered = whole[:size], whole[size:]
        return reply

    def ask(self, target="/", *fields, method="GET"):
        return self.get(target, *fields, method=method).reply(method)

    def rest(self):
        """Everything up to the orderly end of the connection."""
        while self.receive():
            pass
        data, self.buffered = self.buffered, b""
        return data

    def has_ended(self, seconds_max):
        """Does the other side end the connection within this time? A reset counts."""
        self.socket.settimeout(seconds_max)
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
        finally:
            self.socket.settimeout(REPLY_SECONDS_MAX)

    def finish_sending(self):
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        """Ends the connection with a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()


class Service:
    """A process under test. Port 0 lets the kernel choose; the service says which it got."""

    def __init__(self, name, *flags, listen="127.0.0.1:0", **options):
        self.log_file = tempfile.NamedTemporaryFile(prefix="zerog-test-")
        arguments = [program(name), "--listen", listen]
        if not any(str(flag).split("=")[0] == "--io" for flag in flags):
            arguments += ["--io", IO]
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", self.log_file)
        self.process = subprocess.Popen(self.wrapped([*arguments, *map(str, flags)]),
                                        stderr=self.log_file, **options)
        self.address = None
        try:
            self.address = self.wait_until_it_serves()
        except BaseException:
            self.kill()
            raise

    def wrapped(self, arguments):
        """The command that runs the service; for those who run it in something."""
        return arguments

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    @property
    def pid(self):
        return self.process.pid

    @property
    def port(self):
        return self.address[1]

    @property
    def url(self):
        host, port = self.address[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def log(self):
        with open(self.log_file.name, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_until_it_serves(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            found = re.search(r"serving on (\S+)\n", self.log())
            if found:
                break
            if self.process.poll() is not None:
                raise AssertionError(f"it ended ({self.process.returncode}) at its start: "
                                     + self.log())
            if time.monotonic() > deadline:
                raise AssertionError("it does not serve: " + self.log())
            time.sleep(0.01)
        where = found.group(1)
        if where.startswith("unix:"):
            return where[5:]
        host, port = where.removeprefix("http://").rsplit(":", 1)
        return (host.strip("[]"), int(port))

    def client(self, **options):
        return Client(self.address, **options)

    def ask(self, target="/", *fields, method="GET"):
        """One request on a connection of its own."""
        with self.client() as client:
            return client.ask(target, *fields, "Connection: close", method=method)

    def memory(self):
        return self.ask("/memory?format=json").json()

    def metric(self, name):
        found = re.search(rf"^{name} (\d+)$", self.ask("/metrics").body.decode(), re.MULTILINE)
        return int(found.group(1))

    def is_alive(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, seconds_max=END_SECONDS_MAX):
        """The exit status."""
        return self.process.wait(seconds_max)

    def stop(self):
        """Ends it in order; the exit status."""
        if self.is_alive():
            self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        if self.is_alive():
            self.process.kill()
            self.process.wait()
        self.log_file.close()


def settled_memory(service, seconds_max=5):
    """The memory page once nothing but itself is in flight, or as it is after this time."""
    deadline = time.monotonic() + seconds_max
    while True:
        # A service at its limit may refuse even this, until it has seen that its clients have gone.
        reply = service.ask("/memory?format=json")
        is_late = time.monotonic() > deadline
        if reply.status == 200:
            memory = reply.json()
            is_settled = (memory["connections"]["open"] == 1
                          and all(pool["free"] == pool["total"] - 1
                                  for pool in memory["pools"].values()))
            if is_settled or is_late:
                return memory
        elif is_late:
            raise AssertionError(f"it is still refusing: {reply}")
        time.sleep(0.05)


def check_clean(test, service, malloc_count=0):
    """Nothing leaked, nothing allocated, and the service is as it was when it started."""
    test.assertTrue(service.is_alive(), service.log())
    memory = settled_memory(service)
    # The pool counts a handle that it finds stale: a resume that came too late is no misuse.
    stale_count = service.metric("zerog_resumes_stale_total")
    for name, pool in memory["pools"].items():
        # The page itself is rendered in one exchange, into one chunk.
        test.assertEqual(pool["free"], pool["total"] - 1, f"{name} leaked: {pool}")
        test.assertEqual(pool["misused"], stale_count if name == "exchanges" else 0, name)
    test.assertEqual(memory["connections"]["open"], 1, "connections leaked")
    test.assertEqual(memory["connections"]["waiting"], 0)
    test.assertEqual(memory["mallocs_since_seal"], malloc_count, memory["malloc_sites"])
    if not has_sanitizer():
        drift = memory["resident"] - memory["resident_at_seal"]
        test.assertLessEqual(abs(drift), RESIDENT_DRIFT_MAX, "resident memory has changed")
    test.assertEqual(service.stop(), 0, service.log())
    test.assertNotIn("not given back", service.log())


class ServiceCase(unittest.TestCase):
    """Cases that share one service, which must be as good as new when they are done."""

    PROGRAM = "hello"
    FLAGS = ()

    @classmethod
    def setUpClass(cls):
        cls.service = Service(cls.PROGRAM, *cls.FLAGS)

    @classmethod
    def tearDownClass(cls):
        try:
            check_clean(unittest.TestCase(), cls.service)
        finally:
            cls.service.kill()

    def client(self, **options):
        client = self.service.client(**options)
        self.addCleanup(client.close)
        return client

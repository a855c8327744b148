"""Processes under measurement: starting, ending by pid, their CPU time and memory."""

import os
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def free_port():
    """A port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def children(pid):
    """Process ids of pid and of all its descendants."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(child) for child in task.read_text().split()]
            except OSError:
                continue
    return found


@dataclass
class CpuTime:
    """Seconds of CPU: split by the kernel's accounting, and the scheduler's exact sum."""

    user: float = 0.0
    system: float = 0.0
    total: float = 0.0

    def __sub__(self, earlier):
        return CpuTime(self.user - earlier.user, self.system - earlier.system,
                       self.total - earlier.total)


def cpu_clock(pid):
    """The clock of a process's CPU time, threads that have ended included (clock_getcpuclockid(3))."""
    return (~pid << 3) | 2


def cpu_time(pid):
    """CPU time of a process, its threads and its children."""
    spent = CpuTime()
    for process in children(pid):
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
            spent.total += time.clock_gettime(cpu_clock(process))
        except OSError:
            continue
        spent.user += int(fields[11]) / TICKS_PER_SECOND
        spent.system += int(fields[12]) / TICKS_PER_SECOND
    return spent


def resident(pid):
    """Bytes resident in a process, exactly (smaps_rollup)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"process {pid} has no Rss in smaps_rollup")


def faults(pid):
    """Page faults of a process since it started, of all its threads: (minor, major)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[7]), int(fields[9])


def resident_tree(pid):
    """Bytes of a process and its descendants, pages that they share counted once (Pss)."""
    total = 0
    for process in children(pid):
        try:
            text = Path(f"/proc/{process}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in text.splitlines()
                     if line.startswith("Pss:"))
    return total


def receive_reply(port, target="/", timeout_s=5.0):
    """One GET over a fresh connection: (head, body) as bytes; the reply has a length."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as client:
        client.sendall(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
                       "Accept: application/json\r\n\r\n".encode())
        data = b""
        while b"\r\n\r\n" not in data:
            data += _receive_some(client)
        head, body = data.split(b"\r\n\r\n", 1)
        size = 0
        for line in head.split(b"\r\n")[1:]:
            name, value = line.split(b":", 1)
            if name.lower() == b"content-length":
                size = int(value)
        while len(body) < size:
            body += _receive_some(client)
    return head, body


def _receive_some(client):
    data = client.recv(65536)
    if not data:
        raise ConnectionError("the server closed before its reply was whole")
    return data


class Server:
    """One server process, on a port of its own, ended when the block is left."""

    def __init__(self, command, port, log_path, environment=None):
        self.command = command
        self.port = port
        self.log_path = log_path
        self.environment = {**os.environ, **(environment or {})}
        self.process = None

    def __enter__(self):
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=subprocess.STDOUT,
                                            env=self.environment)
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        return Path(self.log_path).read_text(errors="replace").strip()

    def _wait_until_it_answers(self, timeout_s=60.0):
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                head, _ = receive_reply(self.port)
                if b" 200 " not in head.split(b"\r\n")[0]:
                    raise RuntimeError(f"{self.command[0]} answered {head[:80]!r}")
                return
            except OSError as error:
                if self.process.poll() is not None:
                    raise RuntimeError(f"{self.command[0]} ended at its start "
                                       f"({self.process.returncode}): {self.log()[-400:]}"
                                       ) from error
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{self.command[0]} does not answer on port "
                                       f"{self.port}: {self.log()[-400:]}") from error
            time.sleep(0.02)

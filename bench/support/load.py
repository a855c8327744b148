"""Load: wrk with a script that says what it saw, and a counter of system calls."""

import json
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from processes import children

SCRIPT = """
local depth = %(depth)d
local batch
if depth > 1 then
   init = function(args)
      local one = wrk.format()
      batch = string.rep(one, depth)
   end
   request = function() return batch end
end
if %(is_close)d == 1 then
   wrk.headers["Connection"] = "close"
end
"""

# Every script's end: what it saw, as a line of JSON.
SCRIPT_END = """
done = function(summary, latency, requests)
   local errors = summary.errors
   io.write(string.format(
      '\\nRESULT {"requests": %d, "duration_us": %d, "p50_us": %d, "p99_us": %d, ' ..
      '"p999_us": %d, "max_us": %d, "errors": %d}\\n',
      summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
      latency:percentile(99.9), latency.max,
      errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


@dataclass
class Load:
    """How wrk is to press: connections, requests in one go, one request a connection."""

    connections: int = 360
    depth: int = 1
    is_close: bool = False


def run(load, port, seconds, folder):
    """Run wrk for so long; what its script reported, as a dictionary."""
    script = Path(folder) / f"wrk-{load.depth}-{int(load.is_close)}.lua"
    script.write_text(SCRIPT % {"depth": load.depth, "is_close": int(load.is_close)} + SCRIPT_END)
    return run_script(script, load.connections, port, seconds)


def run_script(script, connections, port, seconds):
    """Run wrk with a script that ends with SCRIPT_END; what that reported."""
    outcome = subprocess.run(
        ["wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "-s", str(script),
         f"http://127.0.0.1:{port}/"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds + 60,
        check=False)
    found = re.search(r"^RESULT (\{.*\})$", outcome.stdout, re.MULTILINE)
    if outcome.returncode != 0 or found is None:
        raise RuntimeError(f"wrk failed: {outcome.stderr.strip() or outcome.stdout.strip()}")
    return json.loads(found.group(1))


def _perf_command(pids, output):
    return ["perf", "stat", "-x", ",", "-e", "raw_syscalls:sys_enter", "-o", str(output),
            "-p", ",".join(map(str, pids))]


def _strace_command(pids, output):
    command = ["strace", "-c", "-f", "-o", str(output)]
    for pid in pids:
        command += ["-p", str(pid)]
    return command


def _perf_can_count(folder):
    if shutil.which("perf") is None:
        return False
    output = Path(folder) / "perf-probe"
    probe = subprocess.run(["perf", "stat", "-x", ",", "-e", "raw_syscalls:sys_enter",
                            "-o", str(output), "true"],
                           stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return probe.returncode == 0 and _perf_count(output) is not None


def _perf_count(output):
    for line in output.read_text().splitlines():
        if "raw_syscalls:sys_enter" in line and line.split(",")[0].isdigit():
            return int(line.split(",")[0])
    return None


def _strace_count(output):
    found = re.search(r"^\s*100\.00\s+\S+\s+(?:\S+\s+)?(\d+)(?:\s+\d+)?\s+total$",
                      output.read_text(), re.MULTILINE)
    return int(found.group(1)) if found else None


def count_system_calls(load, server, seconds, folder):
    """System calls a request over a short round, or None when nothing can count them.

    perf's counter hardly slows the server; strace does, but the ratio stays right.
    """
    uses_perf = _perf_can_count(folder)
    if not uses_perf and shutil.which("strace") is None:
        return None
    output = Path(folder) / "system-calls"
    make_command = _perf_command if uses_perf else _strace_command
    counter = subprocess.Popen(make_command(children(server.pid), output),
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        time.sleep(0.5)
        result = run(load, server.port, seconds, folder)
        time.sleep(0.2)
    finally:
        counter.send_signal(signal.SIGINT)
        counter.wait(20)
    calls = _perf_count(output) if uses_perf else _strace_count(output)
    return calls / result["requests"] if calls and result["requests"] else None

#!/usr/bin/python3
"""Runs the tests and ends with their count: `N passed, N failed`.

    run.py [NAME ...]

Each suite is one program: a unit test, a file of integration tests against one
build and one I/O backend, a fuzz target, the source checks, a file of browser tests. Without names all
run; a name picks those suites whose full name has it: lint, unit, asan,
install, integration, epoll, torture, watch, browser, fuzz,
pool_test, ...
"""

import ctypes
import glob
import os
import re
import signal
import subprocess
import sys
import threading
import time

import tap

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PYTHON = "/usr/bin/python3"
FUZZ_SECONDS = 10
LANES = 2
# With ZEROG_LONG set, tests of endurance run in full size.
SERVICE_SECONDS_MAX = 7200 if os.environ.get("ZEROG_LONG") else 240
# What runs with an arena of mallocs as well: what uses arenas, and one file of integration tests.
ARENA_UNIT_TESTS = ("arena_malloc_test", "arena_model_test", "arena_resize_test", "arena_test",
                    "arena_text_test", "connection_test", "exchange_test", "json_exchange_test",
                    "json_write_test", "parser_test", "reply_test", "request_test", "scratch_test")
ARENA_INTEGRATION_TEST = "requests_and_replies"
LEFTOVER_SECONDS_MAX = 2
SERVICE_KINDS = ("integration/", "torture/")  # suites that start services
SYS_IO_URING_SETUP = 425  # the same on x86-64 and aarch64


class Suite:
    """One program that prints TAP."""

    def __init__(self, name, builds, command, seconds_max, environment=None):
        self.name = name
        self.builds = builds
        self.command = command
        self.seconds_max = seconds_max
        self.environment = environment or {}


def uring_blocked():
    """Why io_uring cannot be used here, or None. Containers often forbid it."""
    libc = ctypes.CDLL(None, use_errno=True)
    # No parameters: a kernel that offers the call faults on them, one that forbids it does not.
    libc.syscall(SYS_IO_URING_SETUP, 1, None)
    error = ctypes.get_errno()
    return None if error == 14 else f"io_uring_setup: {os.strerror(error)}"


def test_programs():
    return sorted(os.path.basename(path)[:-2] for folder in ("src", "apps")
                  for path in glob.glob(os.path.join(ROOT, folder, "**", "*_test.c"),
                                        recursive=True))


def integration_files():
    """Files with cases; the others of the folder are their helpers."""
    for path in sorted(glob.glob(os.path.join(ROOT, "tests", "integration", "*.py"))):
        with open(path, encoding="utf-8") as file:
            if re.search(r"^\s+def test_", file.read(), re.MULTILINE):
                yield path


def lint_suites():
    yield Suite("lint/checks", ["release"], [PYTHON, "tools/lint/all.py", "--tap"], 300)
    for path in sorted(glob.glob(os.path.join(ROOT, "tools", "*", "*_selftest.py"))):
        name = os.path.basename(path)[:-3]
        yield Suite(f"lint/{name}", [], [PYTHON, "tools/test/python_suite.py", path], 120)


def lab_suites():
    """The lab's own tests: they start programs of the release build, but measure nothing."""
    for path in sorted(glob.glob(os.path.join(ROOT, "bench", "lab", "support", "*_selftest.py"))):
        name = os.path.basename(path)[:-3]
        yield Suite(f"lab/{name}", ["release"], [PYTHON, "tools/test/python_suite.py", path], 120)


def unit_suites():
    for label, build, folder in (("gcc", "release", "build"), ("asan", "asan", "build-asan"),
                                 ("arena", "arena", "build-arena")):
        for program in ARENA_UNIT_TESTS if build == "arena" else test_programs():
            yield Suite(f"unit/{label}/{program}", [build],
                        [os.path.join(ROOT, folder, program)], 120,
                        {"CMOCKA_MESSAGE_OUTPUT": "TAP"})


def service_suites(kind, paths):
    """Files that ask a service: each against both builds, over both backends."""
    blocked = uring_blocked()
    for build, folder in (("release", "build"), ("asan", "build-asan"), ("arena", "build-arena")):
        for backend in ("uring", "epoll"):
            for path in paths:
                name = os.path.basename(path)[:-3]
                if build == "arena" and (name, backend) != (ARENA_INTEGRATION_TEST, "epoll"):
                    continue
                environment = {"ZEROG_BUILD": os.path.join(ROOT, folder), "ZEROG_IO": backend}
                if backend == "uring" and blocked:
                    environment["ZEROG_SKIP"] = blocked
                yield Suite(f"{kind}/{build}/{backend}/{name}", [build],
                            [PYTHON, "tools/test/python_suite.py", path],
                            SERVICE_SECONDS_MAX, environment)


def integration_suites():
    return service_suites("integration", list(integration_files()))


def torture_suites():
    return service_suites("torture", [os.path.join(ROOT, "tests", "torture", "torture.py")])


def watch_suites():
    """What the tools see of our memory: each file needs the builds that it names."""
    for path in sorted(glob.glob(os.path.join(ROOT, "tests", "watch", "*.py"))):
        with open(path, encoding="utf-8") as file:
            builds = re.search(r"^BUILDS = \((.+)\)$", file.read(), re.MULTILINE)
        if builds:
            yield Suite(f"watch/{os.path.basename(path)[:-3]}",
                        re.findall(r"\"(\w+)\"", builds.group(1)),
                        [PYTHON, "tools/test/python_suite.py", path], 240)


def install_suites():
    for path in sorted(glob.glob(os.path.join(ROOT, "tests", "install", "*_test.py"))):
        name = os.path.basename(path)[:-3]
        yield Suite(f"install/{name}", ["release"], [PYTHON, "tools/test/python_suite.py", path],
                    120, {"ZEROG_BUILD": os.path.join(ROOT, "build")})


def browser_suites():
    """What a person sees in a browser. Files with tests; the others are their helpers."""
    for path in sorted(glob.glob(os.path.join(ROOT, "tests", "browser", "*.mjs"))):
        with open(path, encoding="utf-8") as file:
            if not re.search(r"^test\(", file.read(), re.MULTILINE):
                continue
        name = os.path.basename(path)[:-4]
        yield Suite(f"browser/{name}", ["release", "browser"],
                    [PYTHON, "tools/test/browser.py", path], 300,
                    {"ZEROG_BUILD": os.path.join(ROOT, "build")})


def fuzz_suites():
    for path in sorted(glob.glob(os.path.join(ROOT, "tests", "fuzz", "*_fuzz.c"))):
        name = os.path.basename(path)[:-2]
        yield Suite(f"fuzz/{name}", ["fuzz"],
                    [PYTHON, "tools/test/fuzz.py", "--tap", name, str(FUZZ_SECONDS)],
                    FUZZ_SECONDS + 60)


def make(build):
    """Brings one build folder up to date; returns whether that went well."""
    script = f"set -euo pipefail; source tools/dev/common.sh; build_{build}"
    return subprocess.run(["bash", "-c", script], cwd=ROOT, stdin=subprocess.DEVNULL,
                          check=False).returncode == 0


def group_members(group):
    """The processes of a process group that still run."""
    members = []
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue  # It ended while we looked.
        if int(fields[2]) == group and fields[0] not in "ZX":
            members.append(int(path.split("/")[2]))
    return members


def leftovers(group):
    """What a suite left running, after a moment for what was told to end."""
    deadline = time.monotonic() + LEFTOVER_SECONDS_MAX
    while True:
        members = group_members(group)
        if not members or time.monotonic() > deadline:
            return members
        time.sleep(0.05)


def has_sanitizer(suite):
    return "asan" in suite.builds or "arena" in suite.builds


def sanitizer_folder(suite):
    return os.path.join(ROOT, "build-asan", "reports", suite.name.replace("/", "-"))


def environment_of(suite):
    environment = {**os.environ, "ZEROG_ROOT": ROOT, "PYTHONDONTWRITEBYTECODE": "1",
                   **suite.environment}
    if has_sanitizer(suite):
        options = "print_stacktrace=1"
        if suite.name.startswith(SERVICE_KINDS):
            # A server under test is nobody's child by name: what a sanitizer has to say about
            # it goes to files that are looked at when the suite has ended.
            folder = sanitizer_folder(suite)
            os.makedirs(folder, exist_ok=True)
            for report in glob.glob(os.path.join(folder, "*")):
                os.unlink(report)
            options += f":log_path={os.path.join(folder, 'report')}"
        environment["ASAN_OPTIONS"] = options + ":detect_leaks=1"
        environment["UBSAN_OPTIONS"] = options
    return environment


def sanitizer_reports(suite):
    if not has_sanitizer(suite) or not suite.name.startswith(SERVICE_KINDS):
        return
    for path in sorted(glob.glob(os.path.join(sanitizer_folder(suite), "*"))):
        with open(path, encoding="utf-8", errors="replace") as file:
            yield file.read()


def run(suite):
    """Runs one suite to its end or its time; returns its outcome, output and seconds."""
    if not os.path.exists(suite.command[0]):
        outcome = tap.Outcome()
        outcome.fail("was not built: add it to the meson.build of its folder")
        return outcome, "", 0.0

    started = time.monotonic()
    process = subprocess.Popen(suite.command, cwd=ROOT, env=environment_of(suite),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
    chunks = []
    reader = threading.Thread(target=lambda: chunks.extend(iter(lambda: process.stdout.read1(65536),
                                                                b"")), daemon=True)
    reader.start()
    notes = []
    try:
        process.wait(suite.seconds_max)
    except subprocess.TimeoutExpired:
        notes.append(f"stopped after {suite.seconds_max} s")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    reader.join(1)
    left = leftovers(process.pid)
    if left and not notes:
        notes.append(f"left {len(left)} processes running")
    for pid in left:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    reader.join(5)

    output = b"".join(chunks).decode("utf-8", "replace")
    outcome = tap.read(output, process.returncode)
    for note in notes:
        outcome.fail(note)
    for report in sanitizer_reports(suite):
        outcome.fail("a sanitizer reported:\n" + report)
    return outcome, output, time.monotonic() - started


class Totals:
    """The sums, and the printing of one line a suite."""

    def __init__(self):
        self.lock = threading.Lock()
        self.passed = 0
        self.failed = 0
        self.skipped = 0

    def add(self, name, outcome, output, seconds):
        with self.lock:
            self.passed += outcome.passed
            self.failed += outcome.failed
            self.skipped += outcome.skipped
            line = f"{name}: {outcome.passed} passed, {outcome.failed} failed"
            if outcome.skipped:
                line += f", {outcome.skipped} skipped"
            print(f"{line} ({seconds:.1f} s)", flush=True)
            if outcome.failed:
                for text in [output.rstrip(), *outcome.notes]:
                    if text:
                        print("    " + text.replace("\n", "\n    "), flush=True)


def run_all(suites, totals):
    """Runs suites in lanes, each lane taking the next that waits."""
    waiting = list(suites)
    lock = threading.Lock()

    def lane():
        while True:
            with lock:
                if not waiting:
                    return
                suite = waiting.pop(0)
            try:
                totals.add(suite.name, *run(suite))
            except OSError as error:
                outcome = tap.Outcome()
                outcome.fail(f"could not be run: {error}")
                totals.add(suite.name, outcome, "", 0.0)

    threads = [threading.Thread(target=lane) for _ in range(LANES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main():
    names = sys.argv[1:]
    totals = Totals()
    built = {}
    started = time.monotonic()
    for title, suites in (("source checks", lint_suites()), ("unit tests", unit_suites()),
                          ("the lab", lab_suites()),
                          ("installation", install_suites()),
                          ("integration tests", integration_suites()),
                          ("torture", torture_suites()),
                          ("what the tools see", watch_suites()),
                          ("the browser", browser_suites()),
                          ("fuzz targets", fuzz_suites())):
        chosen = [suite for suite in suites
                  if not names or any(name in suite.name for name in names)]
        if not chosen:
            continue
        for build in sorted({build for suite in chosen for build in suite.builds}):
            if build not in built:
                built[build] = make(build)
                if not built[build]:
                    outcome = tap.Outcome()
                    outcome.fail("the build failed; its suites did not run")
                    totals.add(f"build/{build}", outcome, "", 0.0)
        chosen = [suite for suite in chosen if all(built[build] for build in suite.builds)]
        print(f"test: {title}: {len(chosen)} suites", flush=True)
        run_all(chosen, totals)

    print(f"took {time.monotonic() - started:.0f} s")
    count = f"{totals.passed} passed, {totals.failed} failed"
    print(count + (f", {totals.skipped} skipped" if totals.skipped else ""))
    return 1 if totals.failed or not totals.passed else 0


if __name__ == "__main__":
    sys.exit(main())

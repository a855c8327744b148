"""Table 2: what allocating and freeing costs inside each runtime, and what happens when memory ends.

The protocol is that of `./dev bench alloc`: 8,192 objects live, one picked at random is replaced by
another, the same trace for all; each replay in a process of its own; the intrinsic maximum is that
of the least each operation took over the replays.
"""

import array
import itertools
import json
import os
import resource
import signal
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import allocators
from course import Step
from peers import BUILD, FOLDER, digest, find_program

SOURCES = FOLDER.parent / "alloc"
CASES = {"fixed": 1024, "mixed": 0}
TENTHS = 10  # the programs write tenths of a nanosecond
EXHAUST_LIMIT = 256 << 20  # bytes
POINTS_A_DECADE = 8  # of the curves, as in `./dev bench alloc`


@dataclass
class Runtime:
    """One way to allocate: who stands behind it among the peers, and how it is run."""

    name: str
    title: str
    behind: str  # the peers whose handlers allocate so
    needs: list
    build: list = field(default_factory=list)
    run: list = field(default_factory=list)  # OURS: empty, asked through bench/support/allocators.py
    allocator: str = ""

    def made_of(self):
        """Changes with the program that allocates."""
        if self.allocator:
            return digest([BUILD / "alloc_zerog", BUILD / "alloc_general"])
        return digest(path for path in (SOURCES / SOURCE_OF[self.name]).rglob("*") if path.is_file())

    @property
    def is_ours(self):
        return self.name.startswith("zerog")

    @property
    def is_present(self):
        return all(find_program(name) for name in self.needs)


RUNTIMES = [
    Runtime("zerog typed pool", "zerog typed pool", "zerog", [], allocator="typed-pool"),
    Runtime("zerog pool", "zerog pool", "zerog", [], allocator="pool"),
    Runtime("C malloc", "C (glibc)", "nginx, h2o, libmicrohttpd", [], allocator="glibc"),
    Runtime("Rust", "Rust", "Hyperlane, std, Tokio, Rocket, axum", ["cargo"],
            ["cargo", "build", "--release", "--quiet", "--locked", "--target-dir",
             "{build}/alloc_rust"],
            ["{build}/alloc_rust/release/alloc", "Rust"]),
    Runtime("Go", "Go", "net/http, Gin, fasthttp", ["go"],
            ["go", "build", "-trimpath", "-o", "{build}/alloc_go/alloc", "."],
            ["{build}/alloc_go/alloc", "Go"]),
    Runtime("Go sync.Pool", "Go with sync.Pool", "net/http", ["go"],
            ["go", "build", "-trimpath", "-o", "{build}/alloc_go/alloc", "."],
            ["{build}/alloc_go/alloc", "sync.Pool"]),
    Runtime("Node", "Node (V8)", "Node http", ["node"], [], ["node", str(SOURCES / "node" / "alloc.js"), "Node"]),
]
SOURCE_OF = {"Rust": "rust", "Go": "go", "Go sync.Pool": "go", "Node": "node"}


def places(words):
    return [word.format(build=BUILD / "lab") for word in words]


def build(runtime):
    if not runtime.build:
        return
    outcome = subprocess.run(places(runtime.build), cwd=SOURCES / SOURCE_OF[runtime.name],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if outcome.returncode != 0:
        raise RuntimeError(f"{runtime.name} does not build: {outcome.stderr.strip()[-300:]}")


def points(readings):
    """Percentiles of readings in tenths of a nanosecond."""
    ordered = sorted(readings)

    def at(above):
        return ordered[len(ordered) - 1 - int(above * len(ordered))] / TENTHS

    return {"p50": at(0.5), "p99": at(0.01), "p9999": at(0.0001), "max": at(0)}


def curve(readings):
    """[[one operation in so many, takes longer than so many ns], ...], down to the longest."""
    ordered = sorted(readings)
    rarities = (10 ** (step / POINTS_A_DECADE) for step in range(1, 100))
    found = [[round(rarity, 2), ordered[-1 - int(len(ordered) / rarity)] / TENTHS]
             for rarity in itertools.takewhile(lambda rarity: rarity <= len(ordered), rarities)]
    return [*found, [len(ordered), ordered[-1] / TENTHS]]


def curve_of_ours(figures, count):
    """The same from what the harness printed: its points, from frequent to rare, and the longest."""
    heights = figures["curve"]
    return [[round(10 ** ((step + 1) / POINTS_A_DECADE), 2), height]
            for step, height in enumerate(heights[:-1])] + [[count, heights[-1]]]


def read(folder, name):
    path = Path(folder) / name
    readings = array.array("I")
    if path.exists():
        readings.frombytes(path.read_bytes())
    return readings


def measure_foreign(runtime, size, operations, replays):
    """Replays of a program that dumps its readings; the last one's figures, and the minima."""
    build(runtime)
    means, figures = [], {}
    minima = {}
    seen = {"minor_faults": 0, "failures": 0, "collections": 0}
    with tempfile.TemporaryDirectory(prefix="zerog-lab-") as folder:
        for _ in range(replays):
            outcome = subprocess.run(
                [*places(runtime.run), str(size), str(operations), folder],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False)
            if outcome.returncode != 0:
                raise RuntimeError(f"{runtime.name}: {outcome.stderr.strip()[-300:]}")
            told = json.loads(outcome.stdout)
            means.append(told["mean_ns"])
            for name in seen:
                seen[name] += told[name] or 0
            for side in ("timer", "take", "give"):
                readings = read(folder, side)
                if not readings:
                    continue
                figures.setdefault(side, []).append(points(readings))
                minima[side] = (array.array("I", map(min, minima[side], readings))
                                if side in minima else readings)
    samples = [["mean_ns", mean, "ns"] for mean in means]
    for side, several in figures.items():
        samples += [[f"{side}_{point}_ns", figure[point], "ns"]
                    for figure in several for point in ("p99", "p9999", "max")]
        if side != "timer":
            samples.append([f"intrinsic_{side}_max_ns", max(minima[side]) / TENTHS, "ns"])
    samples += [["failure_rate", seen["failures"] / (operations * replays), "of takes"],
                ["minor_faults", seen["minor_faults"] / replays, "faults"],
                ["collections", seen["collections"] / replays, "collections"]]
    return samples, curve(minima["take"])


def measure_ours(runtime, size, operations, replays):
    """The same through the programs of `./dev bench alloc`."""
    by_name = {one.name: one for one in allocators.everyone()}
    subject = by_name[runtime.allocator]
    cpu = max(os.sched_getaffinity(0))
    samples = []
    with tempfile.TemporaryDirectory(prefix="zerog-lab-") as folder:
        for _ in range(replays):
            found = subject.measure(size, "--ops", operations, "--cpu", cpu,
                                    "--minima", Path(folder) / "minima")
            samples += [["mean_ns", found["mean_ns"], "ns"],
                        ["minor_faults", found["minor_faults"], "faults"],
                        ["failure_rate", found["failures"] / found["takes"], "of takes"]]
            samples += [[f"{side}_{point}_ns", found[side][point], "ns"]
                        for side in ("take", "give") for point in ("p99", "p9999", "max")]
            timer = by_name[allocators.TIMER].measure(size, "--ops", operations, "--cpu", cpu)
            samples += [[f"timer_{point}_ns", timer["take"][point], "ns"]
                        for point in ("p99", "p9999", "max")]
    samples += [["intrinsic_take_max_ns", found["intrinsic_take"]["max"], "ns"],
                ["intrinsic_give_max_ns", found["intrinsic_give"]["max"], "ns"]]
    return samples, curve_of_ours(found["intrinsic_take"], found["takes"])


def measure(runtime, case, operations, replays):
    run = measure_ours if runtime.allocator else measure_foreign
    samples, drawn = run(runtime, CASES[case], operations, replays)
    return {"samples": [[f"{case}_{metric}", value, unit] for metric, value, unit in samples],
            "curve": drawn}


class MemoryLimit:
    """A limit on the memory of one child: a control group where we may make one (v2 or v1)."""

    def __init__(self, size):
        self.size = size
        self.folder = None

    def __enter__(self):
        for root, limit in (("/sys/fs/cgroup", "memory.max"),
                            ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")):
            if Path(root, "cgroup.procs").exists() and self._make(Path(root), limit):
                return self
        return self

    def _make(self, root, limit):
        folder = root / f"zerog-lab-{os.getpid()}"
        try:
            folder.mkdir()
            (folder / limit).write_text(str(self.size))
        except OSError:
            if folder.exists():
                folder.rmdir()
            return False
        self.folder = folder
        return True

    def __exit__(self, *_):
        if self.folder is not None:
            self.folder.rmdir()

    @property
    def kind(self):
        return "control group" if self.folder else "RLIMIT_DATA"

    def enter_child(self):
        """In the child, before it becomes the program."""
        if self.folder is not None:
            (self.folder / "cgroup.procs").write_text(str(os.getpid()))
        else:
            resource.setrlimit(resource.RLIMIT_DATA, (self.size, self.size))


def exhaust_command(runtime):
    if runtime.is_ours:
        return [str(BUILD / "lab-exhaust"), "pool"]
    if runtime.name == "C malloc":
        return [str(BUILD / "lab-exhaust-malloc"), "malloc"]
    return [*places(runtime.run)[:-1], "exhaust"]


def measure_end(runtime):
    """What a program that keeps what it allocates meets when memory ends."""
    build(runtime)
    with MemoryLimit(EXHAUST_LIMIT) as limit:
        process = subprocess.run(exhaust_command(runtime), stdin=subprocess.DEVNULL,
                                 capture_output=True, text=True, timeout=120, check=False,
                                 preexec_fn=limit.enter_child)
        kind = limit.kind
    if process.returncode == 0:
        end = "refused, and lived: " + process.stdout.strip()[:120]
    elif process.returncode < 0:
        end = f"ended by {signal.Signals(-process.returncode).name}"
    else:
        end = f"ended itself ({process.returncode}): {process.stderr.strip().splitlines()[0][:80]}" \
            if process.stderr.strip() else f"ended itself ({process.returncode})"
    return {"samples": [], "end": end, "limit": f"{kind}, {EXHAUST_LIMIT >> 20} MiB"}


def steps(_peers, settings, _scratch):
    present = [runtime for runtime in RUNTIMES if runtime.is_present]
    for case in CASES:
        for runtime in present:
            yield Step(f"allocation/{case}/{runtime.name}", runtime.name,
                       settings.replays * settings.operations / 300000,
                       lambda runtime=runtime, case=case: measure(
                           runtime, case, settings.operations, settings.replays))
    for runtime in present:
        yield Step(f"allocation/when memory ends/{runtime.name}", runtime.name, 2,
                   lambda runtime=runtime: measure_end(runtime))

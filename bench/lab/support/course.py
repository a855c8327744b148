"""Course: the steps of a run, in which order, and what those already done had seen.

A step measures one thing of one peer, once. What it saw is kept in a file at once, so that a
run that was broken off goes on where it stopped.
"""

import http.client
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable


@dataclass
class Step:
    """One measurement: measure() returns {"samples": [[metric, value, unit], ...], ...}."""

    key: str  # "pressure/round 1/nginx": unique in a run
    subject: str  # the peer's name
    seconds: float  # expected
    measure: Callable[[], dict]


@dataclass
class Settings:
    """How long and how often; two of them exist."""

    name: str
    rounds: int
    connection_counts: tuple
    press_seconds: int
    open_seconds: int
    open_loads: tuple  # (connections, requests a second)
    soak_seconds: int
    churn_requests: int
    many: int  # connections that zerog holds besides: so few bytes each show over many only
    million: int  # connections that zerog holds for the record; 0 for none
    operations: int  # of a replay of table 2's trace; whole batches of 64
    replays: int


QUICK = Settings("quick", 1, (2000, 10000), 1, 2, ((1000, 4000),), 2, 2000, 36000, 0, 64000, 3)
FULL = Settings("full", 3, (2000, 6000, 10000, 18000), 2, 5, ((1000, 4000), (10000, 8000)), 10,
                4000, 36000, 1000000, 320000, 5)


class Store:
    """What the steps saw, by key, in a file.

    head: {"settings": how long and how often, in any form; "subjects": {name: what it was made of}}.
    Steps under other settings are forgotten, and those of a subject that is made of something else by now. Those
    of subjects that take no part this time are kept for the next.
    """

    def __init__(self, path, head):
        self.path = Path(path)
        self.done = {}
        self.head = json.loads(json.dumps(head))  # as it will be read again
        if not self.path.exists():
            return
        kept = json.loads(self.path.read_text(encoding="utf-8"))
        if kept["head"].get("settings") != self.head["settings"]:
            return
        made_of = {**kept["head"].get("subjects", {}), **self.head["subjects"]}
        self.done = {key: seen for key, seen in kept["done"].items()
                     if kept["head"].get("subjects", {}).get(seen["subject"]) == made_of.get(seen["subject"])}
        self.head["subjects"] = made_of

    def keep(self, key, seen):
        self.done[key] = seen
        scratch = self.path.with_suffix(".new")
        scratch.write_text(json.dumps({"head": self.head, "done": self.done}), encoding="utf-8")
        scratch.replace(self.path)

    def forget(self, subjects):
        self.done = {key: seen for key, seen in self.done.items() if seen["subject"] not in subjects}


def clock(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


class Progress:
    """How much is left, judged by how long what was done took against what was expected."""

    def __init__(self, steps):
        self.left = sum(step.seconds for step in steps)
        self.spent = 0.0
        self.expected = 0.0

    def say(self, text):
        pace = self.spent / self.expected if self.expected > 10 else 1.0
        print(f"[{clock(self.left * pace)} left] {text}", file=sys.stderr, flush=True)

    def did(self, step, seconds):
        self.left -= step.seconds
        self.expected += step.seconds
        self.spent += seconds


def told(error):
    """What went wrong, in one line that names no folder of this machine: results are published."""
    if isinstance(error, subprocess.TimeoutExpired):
        return f"not done after {error.timeout:.0f} s"
    lines = f"{type(error).__name__}: {error}".strip().splitlines()
    return re.sub(r"(?<![\w.])/[\w./-]*/", "", " ".join(lines))[:300]


def run(steps, store):
    """Take every step that is not in the store yet, and those that failed once more.

    A peer that fails a step is noted and passed.
    """
    store.path.parent.mkdir(parents=True, exist_ok=True)
    todo = [step for step in steps if "failed" in store.done.get(step.key, {"failed": "not taken"})]
    if len(todo) < len(steps):
        print(f"going on: {len(steps) - len(todo)} of {len(steps)} steps are done",
              file=sys.stderr)
    progress = Progress(todo)
    for step in todo:
        progress.say(f"{step.key}")
        started = time.monotonic()
        load_before = os.getloadavg()[0]
        try:
            seen = step.measure()
        except (RuntimeError, OSError, ValueError, KeyError, http.client.HTTPException,
                subprocess.SubprocessError) as error:
            seen = {"samples": [], "failed": told(error)}
            print(f"  {step.subject}: {seen['failed']}", file=sys.stderr)
        seen.update(subject=step.subject, load_before=load_before,
                    seconds=time.monotonic() - started)
        store.keep(step.key, seen)
        progress.did(step, time.monotonic() - started)


def rotated(items, by):
    """Another first each round, so that a drift of the machine falls on all."""
    by %= max(1, len(items))
    return items[by:] + items[:by]

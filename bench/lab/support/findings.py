"""Findings: what the steps saw, as medians with spread, ranks, and how far they carry."""

import statistics
from dataclasses import dataclass

import machine


class Findings:
    """All samples of a run, by subject and metric; only those of `subjects`, where they are given."""

    def __init__(self, store, subjects=None):
        self.samples = {}
        self.units = {}
        self.notes = {}  # key of a step: what it says besides its samples
        self.loads = []
        self.rounds = 0  # of throughput, begun
        for key, seen in store.done.items():
            if subjects is not None and seen["subject"] not in subjects:
                continue
            self.loads.append(seen["load_before"])
            if key.startswith("pressure/round "):
                self.rounds = max(self.rounds, int(key.split("/")[1].split()[1]))
            for metric, value, unit in seen["samples"]:
                self.samples.setdefault((seen["subject"], metric), []).append(value)
                self.units[metric] = unit
            rest = {name: seen[name] for name in ("failed", "note", "end", "limit", "curve",
                                                  "timeline", "memory_timeline") if name in seen}
            if rest:
                self.notes[key] = rest

    def value(self, subject, metric):
        samples = self.samples.get((subject, metric))
        return statistics.median(samples) if samples else None

    def spread(self, subject, metric):
        samples = self.samples.get((subject, metric))
        return (min(samples), max(samples)) if samples else None

    def failures(self):
        return {key: note["failed"] for key, note in self.notes.items() if "failed" in note}

    def remarks(self):
        """What cannot be measured, and why: by subject."""
        return {key.rpartition("/")[2]: note["note"] for key, note in self.notes.items()
                if "note" in note}

    def slope(self, subject, counts):
        """User bytes a connection: (slope, its standard error, intercept), by least squares."""
        points = [(count, self.value(subject, f"idle_user_memory_{count}")) for count in counts]
        points = [point for point in points if point[1] is not None]
        if len(points) < 2:
            return None
        mean_x = statistics.fmean(x for x, _ in points)
        mean_y = statistics.fmean(y for _, y in points)
        spread = sum((x - mean_x) ** 2 for x, _ in points)
        slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
        intercept = mean_y - slope * mean_x
        rest = sum((y - intercept - slope * x) ** 2 for x, y in points)
        error = (rest / (len(points) - 2) / spread) ** 0.5 if len(points) > 2 else None
        return slope, error, intercept

    def noise(self):
        """How far apart rounds of the same measurement lie: the median of (max - min) / median."""
        widths = [(max(samples) - min(samples)) / statistics.median(samples)
                  for (_, metric), samples in self.samples.items()
                  if metric == "keep_alive_per_second" and len(samples) > 1]
        return statistics.median(widths) if widths else None


def ranks(values, is_less_better=True, tolerance=0.0, slack=0.0):
    """Rank by subject, from 1; those within `tolerance` of the best of a rank, or `slack` from it, share it.

    values: {subject: number}; slack: in their unit. Within noise no order is claimed.
    """
    ordered = sorted(values.items(), key=lambda item: item[1] if is_less_better else -item[1])
    found = {}
    rank, best = 0, None
    for place, (subject, value) in enumerate(ordered, 1):
        is_apart = best is None or abs(value - best) > max(slack, tolerance * max(abs(best), 1e-12))
        if is_apart:
            rank, best = place, value
        found[subject] = rank
    return found


@dataclass
class Run:
    """All that a report tells of."""

    findings: Findings
    peers: list  # that took part
    left_out: list  # that did not, each with its reason in `skipped`
    settings: object  # of course.py
    tables: list

    @property
    def command(self):
        return "./dev lab --quick" if self.settings.name == "quick" else "./dev lab"

    def about(self):
        """What a reader has to know before the first table."""
        known = machine.facts()
        loads = self.findings.loads or [0.0]
        noise = self.findings.noise()
        lines = [
            f"{known['cpu']}, {known['cpus']} cores, {known['memory_mib'] / 1024:.0f} GiB, Linux "
            f"{known['kernel']}, everything on loopback of this one machine.",
            f"Load average before each step: {statistics.median(loads):.1f} at the median, "
            f"{max(loads):.1f} at the most.",
        ]
        rounds = self.findings.rounds
        if 0 < rounds < self.settings.rounds:
            lines.append(f"Broken off: {rounds} of {self.settings.rounds} rounds of throughput and latency were "
                         "begun, and the last of them may lack peers.")
        if noise is not None:
            lines.append(f"Noise: rounds of the same measurement lie {100 * noise:.0f} % apart (median over the "
                         "peers, keep-alive throughput).")
        else:
            lines.append("One round: what differs by less than the tolerances below may be noise.")
        return lines

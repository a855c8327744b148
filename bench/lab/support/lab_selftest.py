#!/usr/bin/python3
"""The lab's sums, its memory, its report, and what it refuses: nothing is measured here."""

import html.parser
import json
import os
import sys
import subprocess
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[0:0] = [str(HERE), str(HERE.parent.parent / "support")]

# pylint: disable=wrong-import-position
import allocation  # noqa: E402
import course  # noqa: E402
import markdown  # noqa: E402
import page  # noqa: E402
import peers  # noqa: E402
import places  # noqa: E402
import tables  # noqa: E402
import writing  # noqa: E402
from findings import Findings, Run, ranks  # noqa: E402

SETTINGS = {"rounds": 1}
NASTY = "a <b> & \"c\" | d_e *f*"


class Kept:
    """A store that holds what a test gives it: {key: (subject, {metric: value})}."""

    def __init__(self, seen):
        self.done = {key: {"subject": subject, "load_before": 1.0,
                           "samples": [[name, value, ""] for name, value in metrics.items()]}
                     for key, (subject, metrics) in seen.items()}


def peer_of(name, title=None, **description):
    return peers.Peer(name, Path("."), {"title": title or name, **description}, "1.0")


def run_of(seen, *several, **failed):
    """A whole run of those peers, with its tables."""
    store = Kept(seen)
    for subject, reason in failed.items():
        store.done[f"latency/{subject}"] = {"subject": subject, "load_before": 1.0, "samples": [],
                                            "failed": reason}
    findings = Findings(store)
    several = list(several)
    found = [places.places_table(findings, several, course.QUICK),
             *tables.all_tables(findings, several, course.QUICK)]
    return Run(findings, several, [], course.QUICK, [table for table in found if table.rows])


class Slope(unittest.TestCase):
    """Memory a connection is the slope over how many there are."""

    @staticmethod
    def of(memory):
        return Findings(Kept({"all": ("nginx", {f"idle_user_memory_{count}": size
                                                for count, size in memory.items()})})).slope(
                                                    "nginx", list(memory))

    def test_a_straight_line_has_no_error(self):
        slope, error, start = self.of({2000: 5000 + 2000 * 300, 6000: 5000 + 6000 * 300,
                                       10000: 5000 + 10000 * 300})
        self.assertAlmostEqual(slope, 300)
        self.assertAlmostEqual(error, 0)
        self.assertAlmostEqual(start, 5000)

    def test_the_error_is_that_of_least_squares(self):
        # By hand: the line is 1 + 0.5 x, the residuals are -0.5, 1, -0.5: (1.5 / 1 / 2) ** 0.5.
        slope, error, _ = self.of({0: 0.5, 1: 2.5, 2: 1.5})
        self.assertAlmostEqual(slope, 0.5)
        self.assertAlmostEqual(error, 0.75 ** 0.5)

    def test_two_points_have_no_error_and_one_has_no_slope(self):
        self.assertIsNone(self.of({1: 10, 2: 20})[1])
        self.assertIsNone(self.of({1: 10}))


class Ranks(unittest.TestCase):
    def test_equals_share_a_place_and_the_next_is_counted_behind_them(self):
        self.assertEqual(ranks({"a": 1, "b": 1, "c": 2}), {"a": 1, "b": 1, "c": 3})

    def test_what_lies_within_the_tolerance_of_the_best_of_a_place_shares_it(self):
        self.assertEqual(ranks({"a": 100, "b": 104, "c": 108}, True, 0.05), {"a": 1, "b": 1, "c": 3})

    def test_what_lies_within_the_slack_of_the_best_of_a_place_shares_it(self):
        self.assertEqual(ranks({"a": 1, "b": 4, "c": 5}, True, 0.25, 3), {"a": 1, "b": 1, "c": 3})

    def test_more_may_be_better(self):
        self.assertEqual(ranks({"a": 100, "b": 300}, False), {"b": 1, "a": 2})

    def test_zero_is_best_alone(self):
        self.assertEqual(ranks({"a": 0, "b": 0.1}, True, 0.5), {"a": 1, "b": 2})


class Places(unittest.TestCase):
    def test_our_two_backends_are_one_competitor_the_better_of_them(self):
        several = [peer_of("zerog"), peer_of("zerog-epoll"), peer_of("nginx"), peer_of("h2o")]
        values = places.competitors(several, lambda peer: {"zerog": 9, "zerog-epoll": 3, "nginx": 2,
                                                           "h2o": 4}[peer.name], True)
        self.assertEqual(values, {"zerog": 3, "nginx": 2, "h2o": 4})
        row = places.placing("stall", values, True, 0, "{:.0f} ms")
        self.assertEqual(row, ["stall", "2", "3", "3 ms", "2 ms", "nginx", "1. nginx; 2. zerog; 3. h2o"])

    def test_longest_stalls_are_told_apart_where_they_differ_by_more_than_the_machine_s_own(self):
        seen = {"1": ("zerog", {"open_1000_max_us": 4000}), "2": ("nginx", {"open_1000_max_us": 1500}),
                "3": ("node_http", {"open_1000_max_us": 9000}), "4": ("nobody", {"open_1000_max_us": 3000})}
        run = run_of(seen, peer_of("zerog"), peer_of("nginx"), peer_of("node_http"))
        row = next(row for row in run.tables[0].rows if row[0].startswith("longest stall"))
        self.assertEqual(row[-1], "1. nginx, zerog; 3. node_http")
        latency = next(table for table in run.tables if table.name == "latency-1000")
        self.assertEqual([row[0] for row in latency.rows][-1], "nobody: the machine itself")
        self.assertNotIn(len(latency.rows) - 1, {row for row, _ in latency.best()})

    def test_of_throughput_the_better_is_the_greater(self):
        several = [peer_of("zerog"), peer_of("zerog-epoll")]
        self.assertEqual(places.competitors(several, lambda peer: 20 - len(peer.name), False), {"zerog": 15})

    def test_where_we_are_not_first_is_said_in_words(self):
        table = tables.Table("places", "", "", [], rows=[
            places.placing("stall", {"zerog": 3, "a": 1, "b": 1, "c": 1}, True, 0, "{:.0f} ms")])
        self.assertEqual(places.plain_words(table), [
            "zerog is not first in stall: it comes 4th of 4, 3 ms, behind a, b and c (1 ms)."])

    def test_ordinals(self):
        self.assertEqual([places.ordinal(place) for place in (1, 2, 3, 4, 11, 12, 13, 21, 22, 112)],
                         ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "112th"])

    def test_names_of_runtimes_can_stand_in_a_list(self):
        for runtime in allocation.RUNTIMES:
            self.assertNotRegex(runtime.title, "[,;]")


class Stored(unittest.TestCase):
    """A run that was broken off goes on; what is not comparable is forgotten."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="zerog-lab-")
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "deep" / "quick.json"
        self.taken = []

    def store(self, settings=None, **subjects):
        return course.Store(self.path, {"settings": settings or SETTINGS, "subjects": subjects})

    def take(self, store, *keys):
        """Take steps named subject/anything; one named ctrl-c is broken off, broken fails."""
        def measure(key):
            self.taken.append(key)
            if key.endswith("ctrl-c"):
                raise KeyboardInterrupt
            if key.endswith("broken"):
                raise RuntimeError("it ended at its start")
            return {"samples": []}

        stderr, sys.stderr = sys.stderr, open(os.devnull, "w", encoding="utf-8")
        try:
            course.run([course.Step(key, key.partition("/")[0], 1, lambda key=key: measure(key))
                        for key in keys], store)
        finally:
            sys.stderr.close()
            sys.stderr = stderr

    def test_a_run_that_was_broken_off_goes_on_with_the_step_that_was(self):
        with self.assertRaises(KeyboardInterrupt):
            self.take(self.store(a="1"), "a/1", "a/ctrl-c", "a/3")
        self.take(self.store(a="1"), "a/1", "a/2", "a/3")
        self.assertEqual(self.taken, ["a/1", "a/ctrl-c", "a/2", "a/3"])

    def test_a_step_that_fails_is_noted_and_passed(self):
        store = self.store(a="1")
        self.take(store, "a/broken", "a/2")
        self.assertEqual(self.taken, ["a/broken", "a/2"])
        self.assertEqual(Findings(store).failures(), {"a/broken": "RuntimeError: it ended at its start"})

    def test_a_step_that_failed_is_taken_again_when_a_run_goes_on(self):
        self.take(self.store(a="1"), "a/broken", "a/2")
        self.take(self.store(a="1"), "a/broken", "a/2")
        self.assertEqual(self.taken, ["a/broken", "a/2", "a/broken"])

    def test_only_the_steps_of_a_subject_that_has_changed_are_taken_again(self):
        self.take(self.store(a="1", b="1"), "a/1", "b/1")
        self.take(self.store(a="2", b="1"), "a/1", "b/1")
        self.assertEqual(self.taken, ["a/1", "b/1", "a/1"])

    def test_a_run_of_one_subject_keeps_what_the_others_saw(self):
        self.take(self.store(a="1", b="1"), "a/1", "b/1")
        self.take(self.store(a="2"), "a/1")
        self.take(self.store(a="2", b="1"), "a/1", "b/1")
        self.assertEqual(self.taken, ["a/1", "b/1", "a/1"])

    def test_other_settings_forget_everything(self):
        self.take(self.store(a="1"), "a/1")
        self.assertEqual(self.store({"rounds": 2}, a="1").done, {})

    def test_a_fresh_run_forgets_only_those_that_take_part(self):
        self.take(self.store(a="1", b="1"), "a/1", "b/1")
        store = self.store(a="1")
        store.forget({"a"})
        self.assertEqual(list(store.done), ["b/1"])

    def test_findings_are_of_those_that_take_part(self):
        store = self.store(a="1", b="1")
        self.take(store, "a/broken", "b/broken")
        self.assertEqual(list(Findings(store, {"a"}).failures()), ["a/broken"])


class Readings(unittest.TestCase):
    """Dumps of readings in tenths of a nanosecond."""

    def test_percentiles(self):
        found = allocation.points(range(10, 100010, 10))  # 1 to 10,000 ns
        self.assertEqual(found, {"p50": 5000, "p99": 9900, "p9999": 9999, "max": 10000})

    def test_a_curve_ends_with_the_longest_and_never_falls(self):
        found = allocation.curve([100] * 999 + [5000])
        self.assertEqual(found[-1], [1000, 500])
        self.assertEqual(found[0][1], 10)
        self.assertEqual(found, sorted(found))

    def test_what_the_harness_prints_is_the_same_curve(self):
        ours = allocation.curve_of_ours({"curve": [10.0, 10.0, 500.0]}, 1000)
        self.assertEqual(ours, [[1.33, 10.0], [1.78, 10.0], [1000, 500.0]])


class Cells(html.parser.HTMLParser):
    """The text of a page, and the tags that it opens."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.words += data


class Report(unittest.TestCase):
    def setUp(self):
        self.nasty = peer_of("nasty", NASTY, tuning=NASTY, pauses="none: no collector")
        self.run_ = run_of({"1": ("nasty", {"base_memory": 5, "keep_alive_per_second": 100}),
                            "2": ("zerog", {"base_memory": 9, "keep_alive_per_second": 300})},
                           peer_of("zerog"), self.nasty, nasty=f"OSError: {NASTY}")
        left_out = peer_of("gone", NASTY)
        left_out.skipped = "cargo not found on this machine"
        self.run_.left_out = [left_out]

    def test_nothing_that_a_peer_says_is_markup_of_the_page(self):
        found = Cells(page.document(self.run_, {}))
        self.assertNotIn("script", found.tags)
        self.assertEqual(found.tags.count("b"), 1 + 2 + 1)  # its names in lists, and no <b> of its own
        self.assertIn(NASTY, found.words)

    def test_nothing_that_a_peer_says_ends_a_cell_of_markdown(self):
        for line in markdown.document(self.run_).splitlines():
            if line.startswith("|"):
                self.assertNotRegex(line, r"[^\\]<b>")
        lines = markdown.document(self.run_).splitlines()
        head = next(index for index, line in enumerate(lines) if line.startswith("| peer "))
        bars = [line.replace("\\|", "").count("|") for line in lines[head:head + 4]]
        self.assertEqual(len(set(bars)), 1, bars)

    def test_a_step_that_failed_and_a_peer_that_is_left_out_are_told(self):
        for text in (markdown.document(self.run_), page.document(self.run_, {})):
            self.assertIn("What could not be measured", text)
            self.assertIn("latency/nasty", text)
            self.assertIn("cargo not found on this machine", text)

    def test_the_best_of_a_column_is_marked(self):
        self.assertIn("<td class=best>300", page.document(self.run_, {}))
        self.assertIn("| **300** |", markdown.document(self.run_))
        self.assertNotIn("<td class=best>100", page.document(self.run_, {}))

    def test_a_column_in_which_all_are_equal_has_no_best(self):
        table = tables.Table("t", "", "", ["peer", "x"], {"x": tables.LESS},
                             [["a", tables.number(1)], ["b", tables.number(1)]])
        self.assertEqual(table.best(), set())

    def test_the_data_are_json_with_medians_and_spread(self):
        data = json.loads(json.dumps(writing.data(self.run_)))
        row = next(row for row in data["rows"]
                   if (row["subject"], row["metric"]) == ("zerog", "keep_alive_per_second"))
        self.assertEqual((row["value"], row["spread"]), (300, [300, 300]))
        self.assertEqual(data["places"][0]["place"], 1)


class Described(unittest.TestCase):
    """peer.toml files."""

    def test_every_peer_says_all_that_the_lab_and_its_readers_need(self):
        found = peers.load()
        self.assertGreaterEqual(len(found), 14)
        for peer in found:
            with self.subTest(peer.name):
                for name, kind in (("title", str), ("language", str), ("version", str), ("needs", list),
                                   ("build", list), ("run", list), ("tuning", str), ("counts", str),
                                   ("pauses", str)):
                    self.assertIsInstance(peer.value(name), kind, name)
                self.assertRegex(peer.value("counts"), r"^(preload|stats|none: \w)")
                self.assertRegex(peer.value("pauses"), r"^(stats|none: \w)")
                self.assertGreater(len(peer.value("tuning").split()), 8)
                self.assertTrue(any("{port}" in word or "{folder}" in word for word in peer.value("run")))

    def test_a_peer_of_a_missing_tool_is_left_out_with_its_name(self):
        peer = peer_of("x", needs=["no-such-tool", "sh", "nor-this"])
        peers.look_for_tools(peer)
        self.assertEqual(peer.skipped, "no-such-tool and nor-this not found on this machine")

    def test_a_peer_that_does_not_build_is_left_out_with_what_was_said(self):
        with tempfile.TemporaryDirectory(prefix="zerog-lab-") as folder:
            peer = peer_of("x", needs=[], build=[["sh", "-c", "echo no such crate >&2; exit 1"]])
            peer.places["build"] = folder
            peers.build(peer)
        self.assertEqual(peer.skipped, "does not build: no such crate")

    def test_an_unknown_name_is_answered_with_those_that_there_are(self):
        with self.assertRaisesRegex(ValueError, "no peer ngnix; there are .*nginx"):
            peers.load(["ngnix"])


class Telling(unittest.TestCase):
    def test_what_went_wrong_names_no_folder_of_this_machine(self):
        late = subprocess.TimeoutExpired(["/a/b/lab-load"], 65)
        self.assertEqual("not done after 65 s", course.told(late))
        self.assertEqual("RuntimeError: lab-load ended: no more",
                         course.told(RuntimeError("/a/b-c/lab-load ended:\nno more")))


if __name__ == "__main__":
    unittest.main()

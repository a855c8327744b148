#!/usr/bin/python3
"""The drawing of cache lines, from what pahole prints."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import layout

QUEUE = """
struct queue {
	uint32_t                   magic;                /*     0     4 */

	/* XXX 4 bytes hole, try to pack */

	void                       (*wake)(void *, int); /*     8     8 */
	char                       zg_hot_peer[0];       /*    16     0 */

	/* XXX 48 bytes hole, try to pack */

	/* --- cacheline 1 boundary (64 bytes) --- */
	uint64_t                   given __attribute__((__aligned__(64))); /*    64     8 */
	char                       zg_cold_boot[0];      /*    72     0 */
	union {
		int                a;                    /*    72     4 */
		long               b;                    /*    72     8 */
	};                                               /*    72     8 */
	struct pool                pool;                 /*    80    96 */
	uint32_t                   flags:3;              /*   176: 0  4 */

	/* size: 192, cachelines: 3, members: 8 */
	/* padding: 12 */
} __attribute__((__aligned__(64)));
"""

POOL = """
struct pool {
	uint64_t                   words[8];             /*     0    64 */
	/* --- cacheline 1 boundary (64 bytes) --- */
	char                       zg_cold_seldom[0];    /*    64     0 */
	const char  *              name;                 /*    64     8 */
	unsigned char              rest[24];             /*    72    24 */

	/* size: 96, cachelines: 2, members: 4 */
};
"""

SPLIT = """
struct split {
	char                       zg_cold_boot[0];      /*     0     0 */
	uint64_t                   boot[6];              /*     0    48 */
	char                       zg_hot_turn[0];       /*    48     0 */
	uint64_t                   turn;                 /*    48     8 */
	uint64_t                   event;                /*    56     8 */
	/* --- cacheline 1 boundary (64 bytes) --- */
	uint64_t                   tick;                 /*    64     8 */

	/* size: 72, cachelines: 2, members: 6 */
	/* last cacheline: 8 bytes */
};
"""


def struct_of(text, name):
    return layout.parse(text)[name]


class Parsing(unittest.TestCase):
    def test_fields_are_found_with_their_places(self):
        queue = struct_of(QUEUE, "queue")
        self.assertEqual([("magic", 0, 4), ("wake", 8, 8), ("given", 64, 8), ("", 72, 8),
                          ("pool", 80, 96), ("flags", 176, 4)],
                         [(field.name, field.offset, field.size) for field in queue.fields])
        self.assertEqual(192, queue.size)

    def test_members_of_members_are_not_fields(self):
        self.assertNotIn("a", [field.name for field in struct_of(QUEUE, "queue").fields])

    def test_marks_begin_groups_and_are_no_fields(self):
        self.assertEqual([("hot", 2), ("hot peer", 1), ("cold boot", 3)],
                         [(group.title, len(group.fields))
                          for group in struct_of(QUEUE, "queue").groups])

    def test_arrays_and_pointers_have_their_names(self):
        self.assertEqual(["words", "name", "rest"],
                         [field.name for field in struct_of(POOL, "pool").fields])

    def test_all_structs_of_a_text_are_found(self):
        self.assertEqual({"queue", "pool", "split"}, set(layout.parse(QUEUE + POOL + SPLIT)))

    def test_holes_and_padding_are_what_no_field_has(self):
        queue = struct_of(QUEUE, "queue")
        self.assertEqual([(4, 4), (16, 48)], list(queue.holes()))
        self.assertEqual(12, queue.padding())


class Judging(unittest.TestCase):
    def problems(self, text, name):
        structs = layout.parse(text)
        return list(layout.problems(structs[name], structs))

    def test_a_hot_group_on_one_line_is_accepted(self):
        self.assertEqual([], self.problems(QUEUE, "queue"))

    def test_a_hot_group_on_two_lines_that_fits_one_is_refused(self):
        found = self.problems(SPLIT, "split")
        self.assertEqual(1, len(found))
        self.assertIn("hot turn", found[0])

    def test_a_struct_without_marks_is_not_judged(self):
        self.assertEqual([], self.problems(SPLIT.replace("zg_", "no_"), "split"))

    def test_a_struct_inside_another_that_splits_its_hot_group_is_refused(self):
        text = (QUEUE + POOL).replace("zg_cold_boot", "zg_hot_boot")
        found = self.problems(text, "queue")
        self.assertEqual(1, len([problem for problem in found if "pool at 80" in problem]))

    def test_it_may_lie_anywhere_among_cold_fields(self):
        self.assertEqual([], self.problems(QUEUE + POOL, "queue"))


class Drawing(unittest.TestCase):
    def test_a_line_has_a_column_a_byte(self):
        queue = struct_of(QUEUE, "queue")
        self.assertEqual("|mag....|wake  " + " " + "." * 48, layout.draw_line(queue, 0))

    def test_a_field_goes_on_in_the_next_line(self):
        queue = struct_of(QUEUE, "queue")
        self.assertEqual(" " * 48 + "|fla" + "." * 12, layout.draw_line(queue, 2))

    def test_the_head_counts_holes_and_padding(self):
        head = next(layout.draw(struct_of(QUEUE, "queue")))
        self.assertIn("192 bytes, 3 lines; 52 bytes in 2 holes, 12 of padding", head)

    def test_what_straddles_is_told(self):
        self.assertIn("  pool straddles lines 1 and 2",
                      list(layout.draw(struct_of(QUEUE.replace("96 */", "64 */"), "queue"))))

    def test_long_arrays_take_one_row(self):
        rows = list(layout.draw(struct_of(
            "struct long {\n\tchar                       bytes[640];           /*     0   640 */\n"
            "\n\t/* size: 640, cachelines: 10, members: 1 */\n};\n", "long")))
        self.assertEqual(2, len(rows))
        self.assertIn("0 to 9: bytes", rows[1])


if __name__ == "__main__":
    unittest.main()

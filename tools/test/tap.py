#!/usr/bin/python3
"""Counts test cases in what a test program printed (the Test Anything Protocol).

cmocka prints it when CMOCKA_MESSAGE_OUTPUT=TAP, and our own Python runners
print it too, so one reader counts everything.
"""

import re

PLAN = re.compile(r"^1\.\.(\d+)\s*$")
RESULT = re.compile(r"^(ok|not ok) \d+\b(.*)$")


class Outcome:
    """What one program's cases came to."""

    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.skipped = 0
        self.notes = []  # why a case counts as failed although no line says so

    def fail(self, note, count=1):
        self.failed += count
        self.notes.append(note)


def read(output, exit_code):
    """Reads a program's output; a case that was announced and never reported has failed."""
    outcome = Outcome()
    planned = 0
    for line in output.splitlines():
        plan = PLAN.match(line)
        if plan:
            planned += int(plan.group(1))
            continue
        result = RESULT.match(line)
        if not result:
            continue
        if "# SKIP" in result.group(2):
            outcome.skipped += 1
        elif result.group(1) == "ok":
            outcome.passed += 1
        else:
            outcome.failed += 1

    seen = outcome.passed + outcome.failed + outcome.skipped
    if seen < planned:
        outcome.fail(f"{planned - seen} of {planned} cases never reported "
                     f"(exit code {exit_code})", planned - seen)
    elif seen == 0:
        outcome.fail("no case ran")
    if exit_code != 0 and outcome.failed == 0:
        outcome.fail(f"exit code {exit_code} although no case failed")
    return outcome

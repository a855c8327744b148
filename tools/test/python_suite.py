#!/usr/bin/python3
"""Runs one file of unittest cases and prints each as a TAP line.

ZEROG_SKIP, when set, is the reason why every case of the file is skipped.
"""

import importlib.util
import os
import sys
import traceback
import unittest


class TapResult(unittest.TestResult):
    """Prints `ok` and `not ok` as cases end; a failed sub-test fails its case."""

    def __init__(self):
        super().__init__()
        self.count = 0
        self.subtest_failed = False

    def report(self, word, test, more=""):
        self.count += 1
        print(f"{word} {self.count} - {test.id()}{more}", flush=True)

    @staticmethod
    def explain(error):
        for line in "".join(traceback.format_exception(*error)).splitlines():
            print(f"# {line}", flush=True)

    def startTest(self, test):
        super().startTest(test)
        self.subtest_failed = False

    def addSuccess(self, test):
        self.report("ok", test)

    def addFailure(self, test, err):
        self.failures.append((test, ""))
        self.report("not ok", test)
        self.explain(err)

    def addError(self, test, err):
        # Also where setUpClass and setUpModule fail: then `test` is a stand-in.
        self.addFailure(test, err)

    def addSubTest(self, test, subtest, err):
        if err is None:
            return
        if not self.subtest_failed:
            self.subtest_failed = True
            self.failures.append((test, ""))
            self.report("not ok", test)
        print(f"# in {subtest.id()}")
        self.explain(err)

    def addSkip(self, test, reason):
        self.report("ok", test, f" # SKIP {reason}")

    def addExpectedFailure(self, test, err):
        self.report("ok", test)

    def addUnexpectedSuccess(self, test):
        self.failures.append((test, ""))
        self.report("not ok", test, " (it was expected to fail)")


def cases_of(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from cases_of(item)
        else:
            yield item


def main():
    path = os.path.abspath(sys.argv[1])
    sys.path.insert(0, os.path.dirname(path))
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)

    result = TapResult()
    reason = os.environ.get("ZEROG_SKIP")
    if reason:
        for case in cases_of(suite):
            result.addSkip(case, reason)
    else:
        suite.run(result)
    print(f"1..{result.count}")
    return 1 if result.failures else 0


if __name__ == "__main__":
    sys.exit(main())

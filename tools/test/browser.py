#!/usr/bin/python3
"""Runs one file of browser tests with node's own test runner, which prints TAP.

    browser.py FILE.mjs

Where node, Chromium or the driver between them is missing, the file is one skipped case, which says
what to install.
"""

import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = os.path.join(ROOT, "tests", "browser")
NODE_MAJOR_MIN = 20
CASE_MS_MAX = 120_000


def missing():
    """What keeps the browser tests from running here, or None."""
    node = shutil.which("node")
    if node is None:
        return "node is not installed"
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = re.match(r"v(\d+)\.", version)
    if not major or int(major.group(1)) < NODE_MAJOR_MIN:
        return f"node is {version.strip()}, and not {NODE_MAJOR_MIN} or newer"
    if shutil.which("chromium") is None:
        return "chromium is not installed"
    if not os.path.isdir(os.path.join(FOLDER, "node_modules", "playwright-core")):
        return "playwright-core is not installed: npm ci in tests/browser"
    return None


def main():
    path = sys.argv[1]
    reason = missing()
    if reason:
        print(f"1..1\nok 1 - {os.path.basename(path)} # SKIP {reason}")
        return 0
    environment = {**os.environ, "ZEROG_CHROMIUM": shutil.which("chromium")}
    os.execvpe("node", ["node", "--test-reporter=tap", f"--test-timeout={CASE_MS_MAX}", path],
               environment)
    return 1


if __name__ == "__main__":
    sys.exit(main())

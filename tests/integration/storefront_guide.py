#!/usr/bin/python3
"""docs/guide/storefront/running.md: each of its commands is run, in order, and none fails."""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from support import ROOT, Service

GUIDE = Path(ROOT, "docs/guide/storefront/running.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def shell(script, folder):
    """Runs a script that stops at its first failure; what it printed."""
    result = subprocess.run(["bash", "-eu", "-o", "pipefail", "-c", script], cwd=folder, capture_output=True,
                            text=True, timeout=60, check=False)
    if result.returncode != 0:
        raise AssertionError(f"{result.returncode}: {result.stdout}{result.stderr}")
    return result.stdout


class Guide(unittest.TestCase):
    def test_its_commands_do_what_they_are_said_to(self):
        start, *steps = blocks("sh")
        lines = [line for line in start.splitlines() if not line.startswith(("./dev", "build/"))]
        flags = re.search(r"^build/storefront (.*)$", start, re.MULTILINE).group(1).split()
        with tempfile.TemporaryDirectory(prefix="zerog-guide-") as folder:
            key = shell("\n".join([*lines, 'echo "$key"']), folder).strip()
            with Service("storefront", *flags, cwd=folder) as service:
                script = "\n".join([f"key='{key}'", *steps]).replace("http://127.0.0.1:60000", service.url)
                printed = shell(script, folder)
        for answer in blocks("json"):
            self.assertIn(answer.strip(), printed)
        for words in ('"state":"paid"', '"state":"shipped"', '"state":"cancelled"', '"refunded_minor":100',
                      '"openapi": "3.1.0"', '"discount_code":"WELCOME10"'):
            self.assertIn(words, printed)


if __name__ == "__main__":
    unittest.main()

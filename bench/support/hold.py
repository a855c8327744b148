"""Hold: a great many idle connections, each served a request first, opened and kept by `zerog hold`."""

import json
import re
import subprocess
import sys
from pathlib import Path

from subjects import BUILD


class Hold:
    """build/zerog hold, told what to do through its stdin."""

    def __init__(self, port, count, folder, rate=0, is_quiet=False):
        self.json_path = Path(folder) / "hold.json"
        command = [str(BUILD / "zerog"), "hold", "--connect", f"127.0.0.1:{port}",
                   "--count", str(count), "--json", str(self.json_path)]
        if rate:
            command += ["--rate", str(rate)]
        # Its progress lines go to our own stderr, where they are wanted.
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL if is_quiet else None,
                                        text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            # Closed pipes make it release; its workers follow it in any case.
            self.process.stdin.close()
            try:
                self.process.wait(120)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def expect(self, pattern):
        """The match of the next line that is for programs."""
        for line in self.process.stdout:
            match = re.match(pattern, line.strip())
            if match:
                return match
            print(f"  hold: {line.strip()}", file=sys.stderr)
        raise RuntimeError(f"zerog hold ended early, with {self.process.wait()}")

    def again(self, count):
        self._say(f"again {count}")
        return int(self.expect(r"again \d+ answered (\d+)").group(1))

    def release(self):
        """Close all; hold's own result."""
        self._say("release")
        self.process.stdout.read()
        self.process.wait(300)
        return json.loads(self.json_path.read_text())

    def _say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

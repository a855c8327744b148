"""A PostgreSQL of Debian's, in a folder of its own, for as long as a block lasts."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

USER = "postgres"  # whom Debian's package makes; the server will not run as root
# Durable as it is by default; what is set is room, so that nothing but the work is measured.
SETTINGS = {
    "listen_addresses": "''",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "fsync": "on",
    "synchronous_commit": "on",
}


def find():
    """The folder of its programs, of the newest version that is there; None when there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"),
                   key=lambda path: int(path.parts[4]) if path.parts[4].isdigit() else 0)
    return found[-1].parent if found else None


class Cluster:
    """Made, started, and ended and removed when the block is left. `folder` has its socket."""

    def __init__(self, directory):
        self.programs = find()
        self.folder = tempfile.mkdtemp(prefix="postgres-", dir=directory)
        self.is_started = False

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.is_started:
            self._run("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self):
        if os.geteuid() == 0:
            owner = pwd.getpwnam(USER)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self._run("initdb", "-D", f"{self.folder}/data", "-U", USER, "-A", "trust", "-E", "UTF8",
                  "--locale=C")
        with open(f"{self.folder}/data/postgresql.conf", "a", encoding="utf-8") as file:
            for name, value in SETTINGS.items():
                file.write(f"{name} = {value}\n")
            file.write(f"unix_socket_directories = '{self.folder}'\n")
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-l", f"{self.folder}/log", "-w", "start")
        self.is_started = True

    def _run(self, program, *arguments):
        command = [str(self.programs / program), *arguments]
        if os.geteuid() == 0:
            command = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", *command]
        result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True, timeout=120, check=False,
                                cwd=self.folder)
        if result.returncode != 0:
            raise RuntimeError(f"{program}: {result.stderr.strip()[-400:]}")

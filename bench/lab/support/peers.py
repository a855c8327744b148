"""Peers: what bench/lab/peers holds, built on the spot and started on a port.

A peer is a folder with a peer.toml, which says how it is built, how it is run and how it was tuned.
"""

import hashlib
import re
import resource
import shutil
import subprocess
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from document import document
from processes import Server, free_port

FOLDER = Path(__file__).resolve().parent.parent / "peers"
ROOT = FOLDER.parent.parent.parent
BUILD = ROOT / "build"
THREADS = 2
# Ours runs once on each backend; the second is left out where io_uring is forbidden.
ZEROG_BACKENDS = {"zerog": "uring", "zerog-epoll": "epoll"}
VERSION_COMMANDS = {
    "cargo": ["rustc", "--version"],
    "go": ["go", "version"],
    "node": ["node", "--version"],
}


class PeerServer(Server):
    """A server that has to live until its measurement is over: a dead one needs no memory."""

    def __exit__(self, *error):
        status = self.process.poll()
        super().__exit__(*error)
        if status is not None and error and error[0] is None:
            raise RuntimeError(f"it ended while it was measured ({status}). {self.log()[-200:]}".rstrip())


@dataclass
class Peer:
    """One program under measurement."""

    name: str  # stable: the folder's, or zerog-epoll
    folder: Path
    description: dict  # of peer.toml
    version: str = ""
    skipped: str = ""  # why it takes no part; empty when it does
    places: dict = field(default_factory=dict)  # what the braces of its commands stand for

    @property
    def title(self):
        return self.description["title"] + (" (epoll)" if self.name == "zerog-epoll" else "")

    @property
    def is_ours(self):
        return self.name in ZEROG_BACKENDS

    def value(self, key, otherwise=None):
        return self.description.get(key, otherwise)

    def made_of(self):
        """Changes with whatever it is built from: its version, its files, and for ours, the program."""
        folders = [self.folder, *FOLDER.glob("*_common")]
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        if self.is_ours:
            files.append(BUILD / "lab-zerog")
        return f"{self.version}; {digest(files)}"

    def start(self, folder, connections=10000, environment=None):
        """A PeerServer in a scratch folder, to be used in a with block."""
        port = free_port()
        places = {**self.places, "port": port, "folder": folder, "threads": THREADS,
                  "connections": connections, "document": document(),
                  # For those that reserve them in each thread: a spread is never quite even.
                  "connections_each": connections * 5 // (4 * THREADS) + 64,
                  "shards": shards_for(connections)}
        for source, target in self.value("template", {}).items():
            text = (self.folder / source).read_text(encoding="utf-8")
            Path(target.format(**places)).write_text(text.format(**places), encoding="utf-8")
        for name, text in self.value("files", {}).items():
            Path(folder, name).write_text(text.format(**places), encoding="utf-8")
        command = [word.format(**places) for word in self.value("run")]
        command[0] = find_program(command[0]) or command[0]
        return PeerServer(command, port, f"{folder}/{self.name}.log",
                          {**self.value("environment", {}), **(environment or {})})


def shards_for(connections):
    """As many as the other peers have threads, or what zerog needs (0): a shard's ring holds at most as many
    connections as a process may have descriptors, less what it keeps for other things."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return THREADS if connections <= 0.9 * THREADS * limit else 0


def digest(files):
    """A short name for the content of files."""
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(path.read_bytes())
    return total.hexdigest()[:16]


def find_program(name):
    """On the PATH, or where administrators' programs are."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def raise_descriptor_limit():
    """A peer that does not raise its soft limit itself inherits ours."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def load(names=None):
    """All peers, or those named, ours first, in order of their names; none is built yet."""
    found = []
    for path in sorted(FOLDER.glob("*/peer.toml")):
        description = tomllib.loads(path.read_text(encoding="utf-8"))
        for name in (ZEROG_BACKENDS if path.parent.name == "zerog" else [path.parent.name]):
            found.append(Peer(name, path.parent, description, places={
                "peer": path.parent, "build": BUILD / "lab" / path.parent.name, "zerog": BUILD,
                "io": ZEROG_BACKENDS.get(name, "")}))
    found.sort(key=lambda peer: (not peer.is_ours, peer.name))
    if names:
        unknown = set(names) - {peer.name for peer in found}
        if unknown:
            raise ValueError(f"there is no peer {', '.join(sorted(unknown))}; there are "
                             f"{', '.join(peer.name for peer in found)}")
        found = [peer for peer in found if peer.name in names]
    return found


def look_for_tools(peer):
    """Note that it takes no part where what it is built from or run by is missing."""
    missing = [name for name in peer.value("needs", []) if find_program(name) is None]
    if missing:
        peer.skipped = f"{' and '.join(missing)} not found on this machine"


def build(peer):
    """Build it, or note why it takes no part."""
    Path(peer.places["build"]).mkdir(parents=True, exist_ok=True)
    for command in peer.value("build", []):
        words = [word.format(**peer.places) for word in command]
        result = subprocess.run(words, cwd=peer.folder, stdin=subprocess.DEVNULL,
                                capture_output=True, text=True, check=False)
        if result.returncode != 0:
            peer.skipped = f"does not build: {(result.stderr or result.stdout).strip()[-400:]}"
            return
    peer.version = version_of(peer)


def version_of(peer):
    """The version that is measured, with its toolchain's where that matters."""
    kind, _, package = peer.value("version", "").partition(":")
    if kind == "ours":
        text = (ROOT / "meson.build").read_text(encoding="utf-8")
        return re.search(r"version: '([^']+)'", text).group(1)
    if kind == "debian":
        return output_of(["dpkg-query", "-W", "-f", "${Version}", package])
    toolchain = output_of(VERSION_COMMANDS[kind])
    if kind == "cargo" and package:
        lock = tomllib.loads((peer.folder / "Cargo.lock").read_text(encoding="utf-8"))
        version = next(entry["version"] for entry in lock["package"] if entry["name"] == package)
        return f"{version}, {toolchain}"
    if kind == "go" and package:
        text = (peer.folder / "go.mod").read_text(encoding="utf-8")
        version = re.search(rf"{re.escape(package)} v(\S+)", text).group(1)
        return f"{version}, {toolchain}"
    return toolchain


def output_of(command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

#!/usr/bin/python3
"""The lab: the article's two tables, measured on this machine, with every framework that it names.

Each peer that this machine has the tools for is built, checked to serve the same bytes, and
measured in turn. A run that is broken off goes on where it stopped when it is started again.
"""

import argparse
import contextlib
import fcntl
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[0:1] = [str(HERE / "support"), str(HERE.parent / "support")]

# pylint: disable=wrong-import-position
import allocation  # noqa: E402
import conformance  # noqa: E402
import connections  # noqa: E402
import course  # noqa: E402
import machine  # noqa: E402
import peers as lab_peers  # noqa: E402
import places  # noqa: E402
import pressure  # noqa: E402
import tables as lab_tables  # noqa: E402
import troubles  # noqa: E402
import writing  # noqa: E402
from findings import Findings, Run  # noqa: E402

PHASES = {"connections": connections, "allocation": allocation, "pressure": pressure, "troubles": troubles}


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev lab", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="about five minutes, one round")
    parser.add_argument("--peers", metavar="NAME,...", help="only these; all if absent")
    parser.add_argument("--phases", metavar="NAME,...", default=",".join(PHASES),
                        help="of %(default)s")
    parser.add_argument("--fresh", action="store_true", help="do not go on with an earlier run")
    parser.add_argument("--output", metavar="FOLDER", default=str(lab_peers.BUILD / "lab" / "report"),
                        help="where the report goes (default: build/lab/report)")
    parser.add_argument("--list", action="store_true", help="the peers, and exit")
    arguments = parser.parse_args()
    arguments.settings = course.QUICK if arguments.quick else course.FULL
    arguments.phases = arguments.phases.split(",")
    if set(arguments.phases) - set(PHASES):
        parser.error(f"the phases are {', '.join(PHASES)}.")
    return arguments


@contextlib.contextmanager
def scratch():
    """A folder for one start of a peer; workers that give up root must reach their files, too."""
    with tempfile.TemporaryDirectory(prefix="zerog-lab-") as folder:
        os.chmod(folder, 0o755)
        yield folder


def prepare(peer):
    """Build a peer and see that it serves what it should."""
    lab_peers.look_for_tools(peer)
    if peer.skipped:
        return
    print(f"building {peer.title}", file=sys.stderr, flush=True)
    lab_peers.build(peer)
    if peer.skipped:
        return
    try:
        with scratch() as folder, peer.start(folder) as server:
            conformance.check(server.port)
    except (conformance.Unfit, RuntimeError, OSError) as error:
        peer.skipped = f"does not conform: {error}"


@contextlib.contextmanager
def alone():
    """Two runs at once would measure each other, and write into one store."""
    path = lab_peers.BUILD / "lab" / "lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError("another run of the lab is under way here") from None
        yield


def print_places(table):
    """The short answer, in the terminal."""
    print(f"\n{table.title}")
    for what, place, count, _, _, leaders, _ in table.rows:
        print(f"  {what:45} zerog: {place:>2} of {count:>2}   first: {leaders}")


def print_failures(findings):
    for key, reason in findings.failures().items():
        print(f"not measured: {key}: {reason}")


def main():
    arguments = parse_arguments()
    found = lab_peers.load(arguments.peers.split(",") if arguments.peers else None)
    if arguments.list:
        for peer in found:
            print(f"{peer.name:16} {peer.title}")
        return
    with alone():
        measure(arguments, found)


def measure(arguments, found):
    """Everything that was asked for, and the report."""
    lab_peers.raise_descriptor_limit()
    for peer in found:
        prepare(peer)
        if peer.skipped:
            print(f"{peer.title} is left out: {peer.skipped}", file=sys.stderr)
    present = [peer for peer in found if not peer.skipped]
    if not present:
        raise RuntimeError("there is no peer to measure")
    print(machine.facts_line())
    machine.beware_of_load()
    taking_part = [*present, pressure.NOBODY, *(one for one in allocation.RUNTIMES if one.is_present)]
    store = course.Store(lab_peers.BUILD / "lab" / f"{arguments.settings.name}.json", {
        "settings": vars(arguments.settings),
        "subjects": {subject.name: subject.made_of() for subject in taking_part}})
    if arguments.fresh:
        store.forget({subject.name for subject in taking_part})
    steps = [step for name in arguments.phases
             for step in PHASES[name].steps(present, arguments.settings, scratch)]
    course.run(steps, store)
    findings = Findings(store, {subject.name for subject in taking_part})
    ranking = places.places_table(findings, present, arguments.settings)
    run = Run(findings, present, [peer for peer in found if peer.skipped], arguments.settings,
              [table for table in [ranking, *lab_tables.all_tables(findings, present, arguments.settings)]
               if table.rows])
    path = writing.write_all(Path(arguments.output), run)
    print_places(ranking)
    print_failures(findings)
    print(f"\nThe report: {os.path.relpath(path)} (and lab.md, lab.json beside it)")


if __name__ == "__main__":
    try:
        main()
    except (RuntimeError, ValueError) as error:
        print(f"lab: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("lab: broken off; start it again to go on.", file=sys.stderr)
        sys.exit(130)

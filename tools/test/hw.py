#!/usr/bin/python3
"""Runs tests on machines that there are not: `./dev hw`.

    hw.py [NAME ...]

A machine is described by tests/hw/NAME.json: what QEMU is told, what the kernel is told, the
modules it loads, the programs that it has in /programs, and the tests that run on it, each a
program or a script that prints TAP. Those of "tests_after" run when it is turned on once more;
{folder} in what QEMU is told is where things may lie that outlive the first time. The kernel is
Debian's, unpacked and not installed; the root folder is made of busybox, the programs, and the
libraries they ask for. The processor is emulated, so that no right to a hypervisor is needed;
figures of speed mean nothing there.
"""

import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import tap

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = os.path.join(ROOT, "build-hw")
KERNEL = os.path.join(FOLDER, "kernel")
MODULES_LEFT_OUT = ("gpu", "media", "net", "sound", "infiniband", "staging", "scsi", "wireless")
TEST_SECONDS_MAX = 120
CONSOLE_LINES = 30


class Failed(Exception):
    """A machine could not be made."""


def run(command, **more):
    result = subprocess.run(command, capture_output=True, check=False, **more)
    if result.returncode != 0:
        output = (result.stdout + result.stderr).decode(errors="replace").strip()
        raise Failed(f"{' '.join(command)}: {output}")
    return result.stdout.decode(errors="replace")


def kernel_fetch():
    """Debian's kernel in build-hw/kernel, as its package holds it."""
    if glob.glob(os.path.join(KERNEL, "boot", "vmlinuz-*")):
        return
    found = re.search(r"Depends: (linux-image-[0-9]\S*)",
                      run(["apt-cache", "depends", "linux-image-amd64"]))
    if not found:
        raise Failed("no kernel package is known: apt-get update")
    os.makedirs(FOLDER, exist_ok=True)
    print(f"hw: fetching {found.group(1)}", flush=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        run(["apt-get", "download", "-q", found.group(1)], cwd=folder)
        package, = glob.glob(os.path.join(folder, "*.deb"))
        unpacked = os.path.join(folder, "kernel")
        os.mkdir(unpacked)
        left_out = " ".join(f"--exclude='*/{name}'" for name in MODULES_LEFT_OUT)
        run(["bash", "-c", f"set -o pipefail; dpkg-deb --fsys-tarfile '{package}' | "
             f"tar -xC '{unpacked}' {left_out} ./boot ./lib/modules"])
        shutil.rmtree(KERNEL, ignore_errors=True)
        os.rename(unpacked, KERNEL)


def kernel_module(name):
    """The file of a module and, before it, those of the modules it depends on."""
    pattern = name.replace("_", "[-_]") + ".ko"
    files = glob.glob(os.path.join(KERNEL, "lib", "modules", "*", "kernel", "**", pattern),
                      recursive=True)
    if not files:
        raise Failed(f"the kernel has no module {name}")
    with open(files[0], "rb") as file:
        depends = re.search(rb"\0depends=([^\0]*)\0", file.read())
    needed = []
    for other in depends.group(1).decode().split(",") if depends else []:
        if other:
            needed += kernel_module(other)
    return needed + [files[0]]


def libraries(program):
    """The paths of the libraries a program is loaded with."""
    result = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    return re.findall(r"(/\S+)", result.stdout) if result.returncode == 0 else []


def root_make(folder, machine, tests):
    """The machine's root folder, to run these tests."""
    def put(source, target, mode=0o755):
        path = os.path.join(folder, target.lstrip("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copyfile(source, path)
        os.chmod(path, mode)

    put("/bin/busybox", "bin/busybox")
    put(os.path.join(ROOT, "tests", "hw", "init.sh"), "init")
    for name in machine["tests"] + machine.get("tests_after", []) + machine.get("files", []):
        path = os.path.join(ROOT, name)
        if not os.path.exists(path):
            raise Failed(f"{name} was not built")
        put(path, "zerog/" + os.path.basename(name))
        for library in libraries(path) if name.startswith("build/") else []:
            put(library, library)
    for path in machine.get("programs", []):
        if not os.path.exists(path):
            raise Failed(f"{path} is not installed")
        put(path, "programs/" + os.path.basename(path))
        for library in libraries(path):
            put(library, library)
    modules = []
    for name in machine.get("modules", []):
        modules += [path for path in kernel_module(name) if path not in modules]
    for path in modules:
        put(path, "modules/" + os.path.basename(path), 0o644)
    os.makedirs(os.path.join(folder, "modules"), exist_ok=True)
    with open(os.path.join(folder, "modules", "list"), "w", encoding="utf-8") as file:
        file.writelines(os.path.basename(path) + "\n" for path in modules)
    with open(os.path.join(folder, "tests"), "w", encoding="utf-8") as file:
        file.writelines(f"{os.path.basename(name)} {TEST_SECONDS_MAX}\n"
                        for name in tests)


def boot(folder, machine, tests):
    """Runs the machine until it turns itself off: what its tests said."""
    kernel, = glob.glob(os.path.join(KERNEL, "boot", "vmlinuz-*"))
    image = os.path.join(folder, "root.cpio")
    root = os.path.join(folder, "root")
    shutil.rmtree(root, ignore_errors=True)
    os.mkdir(root)
    root_make(root, machine, tests)
    run(["bash", "-c", f"find . | cpio -o -H newc --quiet >'{image}'"], cwd=root)
    console = os.path.join(folder, "console")
    report = os.path.join(folder, "report")
    command = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
               "-no-reboot", "-machine", machine.get("machine", "q35"),
               "-accel", "tcg,thread=multi", "-cpu", "max", "-kernel", kernel, "-initrd", image,
               "-append", " ".join(["console=ttyS0", "loglevel=4", "panic=-1",
                                    *machine.get("kernel", [])]),
               "-serial", f"file:{console}", "-serial", f"file:{report}",
               *(word.replace("{folder}", folder) for word in machine["qemu"])]
    note = ""
    try:
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                timeout=machine["seconds_max"], check=False)
        note = result.stderr.strip()
    except subprocess.TimeoutExpired:
        note = f"stopped after {machine['seconds_max']} s"
    texts = []
    for path in (report, console):
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                texts.append(file.read().replace("\r", ""))
        except FileNotFoundError:
            texts.append("")
    return texts[0], texts[1], note


def sections(report):
    """What each test said, and its exit status: {name: (output, status)}."""
    found = {}
    for match in re.finditer(r"^@begin (\S+)\n(.*?)^@end \1 (\d+)$", report,
                             re.DOTALL | re.MULTILINE):
        found[match.group(1)] = (match.group(2), int(match.group(3)))
    return found


def indent(text):
    return "    " + text.rstrip().replace("\n", "\n    ")


def run_boot(name, folder, machine, tests):
    """Turns a machine on once, tells of each test; returns (passed, failed, skipped)."""
    started = time.monotonic()
    report, console, note = boot(folder, machine, tests)
    found = sections(report)
    totals = [0, 0, 0]
    for test in map(os.path.basename, tests):
        if test in found:
            output, status = found[test]
            outcome = tap.read(output, status)
        else:
            output = report.partition(f"@begin {test}\n")[2]
            outcome = tap.Outcome()
            outcome.fail("it never came to its end")
        for index, count in enumerate((outcome.passed, outcome.failed, outcome.skipped)):
            totals[index] += count
        line = f"hw/{name}/{test}: {outcome.passed} passed, {outcome.failed} failed"
        print(line + (f", {outcome.skipped} skipped" if outcome.skipped else ""), flush=True)
        if outcome.failed:
            print(indent("\n".join([output.rstrip(), *outcome.notes])), flush=True)
    if "@done" not in report or "@lost" in report or note:
        totals[1] += "@done" not in report or "@lost" in report
        print(indent("\n".join([note, *re.findall("^@lost.*", report, re.MULTILINE),
                                *console.splitlines()[-CONSOLE_LINES:]])), flush=True)
    print(f"hw: {name} took {time.monotonic() - started:.0f} s", flush=True)
    return totals


def run_machine(name):
    """Runs one machine, tells of each test; returns (passed, failed, skipped)."""
    with open(os.path.join(ROOT, "tests", "hw", name + ".json"), encoding="utf-8") as file:
        machine = json.load(file)
    print(f"hw: {name}: {machine['about']}", flush=True)
    totals = [0, 0, 0]
    with tempfile.TemporaryDirectory(prefix="zerog-hw-") as folder:
        for tests in (machine["tests"], machine.get("tests_after", [])):
            if tests:
                totals = [sum(pair) for pair in zip(totals, run_boot(name, folder, machine, tests))]
    return totals


def machines():
    return sorted(os.path.basename(path)[:-5]
                  for path in glob.glob(os.path.join(ROOT, "tests", "hw", "*.json")))


def main():
    names = sys.argv[1:] or machines()
    unknown = [name for name in names if name not in machines()]
    if unknown:
        print(f"hw: no machine {unknown[0]}; there are: {' '.join(machines())}", file=sys.stderr)
        return 2
    totals = [0, 0, 0]
    try:
        kernel_fetch()
        for name in names:
            totals = [sum(pair) for pair in zip(totals, run_machine(name))]
    except Failed as reason:
        print(f"hw: {reason}", file=sys.stderr)
        totals[1] += 1
    count = f"{totals[0]} passed, {totals[1]} failed"
    print(count + (f", {totals[2]} skipped" if totals[2] else ""))
    return 1 if totals[1] or not totals[0] else 0


if __name__ == "__main__":
    sys.exit(main())

"""What the machine is, and what it has left: recorded beside every measurement."""

import os
import platform
import sys
from pathlib import Path


def meminfo():
    """/proc/meminfo in bytes, by field name."""
    fields = {}
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, value = line.split(":", 1)
        fields[name] = int(value.split()[0]) * 1024
    return fields


# What the kernel holds for itself. MemAvailable will not do: it takes half of the sockets'
# inodes for reclaimable, while they are pinned.
KERNEL_FIELDS = ("Slab", "KernelStack", "VmallocUsed", "Percpu")


def kernel_memory(fields=None):
    """Bytes the kernel holds for itself."""
    known = fields if fields is not None else meminfo()
    return sum(known.get(name, 0) for name in KERNEL_FIELDS)


def memory_available():
    """Bytes this process may still use: MemAvailable, or what its control group leaves."""
    available = meminfo()["MemAvailable"]
    for limit_file, usage_file in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes",
         "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        try:
            limit = Path(limit_file).read_text().strip()
            usage = int(Path(usage_file).read_text())
        except (OSError, ValueError):
            continue
        if limit != "max":
            available = min(available, max(0, int(limit) - usage))
    return available


def sockstat():
    """The TCP line of /proc/net/sockstat; `mem` is in pages."""
    for line in Path("/proc/net/sockstat").read_text().splitlines():
        if line.startswith("TCP:"):
            words = line.split()[1:]
            return {name: int(value) for name, value in zip(words[::2], words[1::2])}
    return {}


def facts():
    """Kernel, processor, memory and load, for the head of a report and its JSON."""
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return {
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "cpu": model,
        "cpus": len(os.sched_getaffinity(0)),
        "memory_mib": meminfo()["MemTotal"] >> 20,
        "load_average": list(os.getloadavg()),
    }


def facts_line():
    known = facts()
    load = known["load_average"][0]
    return (f"{known['cpu']}, {known['cpus']} cpus, {known['memory_mib']} MiB, "
            f"Linux {known['kernel']}, load {load:.2f}")


def beware_of_load():
    """Say so when others are using the machine: throughput and tails are then theirs, too."""
    load = os.getloadavg()[0]
    cpus = len(os.sched_getaffinity(0))
    if load > cpus / 2:
        print(f"Beware: the load is {load:.1f} on {cpus} cpus before anything was started; "
              "only ratios of CPU time can be trusted.", file=sys.stderr)

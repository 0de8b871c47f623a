"""Processor seconds of this program and of all that it has started, ended ones included: a figure that others on the machine disturb less than time."""

from __future__ import annotations

import os
from pathlib import Path


def processor_seconds() -> float:
    """Of this process and its descendants, as Linux counts them; elsewhere of this process and of its children that ended."""
    times = os.times()
    proc = Path("/proc")
    if not (proc / "self" / "stat").exists():
        return sum(times[:4])
    found: dict[int, tuple[int, int]] = {}
    for path in proc.iterdir():
        if not path.name.isdigit():
            continue
        try:
            fields = (path / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # ended meanwhile
        # parent; user and system time of its own and of the children that it waited for
        found[int(path.name)] = int(fields[1]), sum(map(int, fields[11:15]))
    own, ticks = {os.getpid()}, 0
    for process in sorted(found):
        above = process
        while above in found and above not in own:
            above = found[above][0]
        if above in own:
            own.add(process)
            ticks += found[process][1]
    return ticks / os.sysconf("SC_CLK_TCK")

"""How much of the machine's processor this process may use."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["usable_cores"]

_CGROUP = Path("/sys/fs/cgroup")


def usable_cores(cgroup: Path = _CGROUP) -> float:
    """Cores that the scheduler gives this process, or the quota of its container if that is less.

    Args:
        cgroup: root of the control groups, as a container sees it; version 2 or 1.
    """
    cores = float(len(os.sched_getaffinity(0)))
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota = (cgroup / "cpu/cpu.cfs_quota_us").read_text().strip()
            period = (cgroup / "cpu/cpu.cfs_period_us").read_text().strip()
        except OSError:
            return cores
    if not quota.isdigit() or not period.isdigit() or not int(period):
        return cores  # "max" or -1: no quota
    return min(cores, int(quota) / int(period))

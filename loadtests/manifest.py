"""What every benchmark prints and writes: figures, and the circumstances they were taken in.

A figure without its machine, commit and state of caches says nothing, so no benchmark prints one
alone. Keys of the JSON object carry their units: `frame_ms_first_minute`, `peak_rss_mb`.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from rich.console import Console
from rich.table import Table

__all__ = ["Figure", "Manifest", "Value", "peak_rss_mb"]

Value: TypeAlias = float | int | str | bool | None


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value beside what it should be."""

    name: str
    """With its unit, as the JSON object has it."""
    value: Value
    state: str = "warm"
    """`cold` or `warm`: were kernels, caches and models loaded before?"""
    goal: str = ""
    """What to reach, in words, such as `>= 100`; empty where nothing was promised."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One run of one benchmark."""

    benchmark: str
    settings: Mapping[str, Value] = field(default_factory=dict)
    """What was measured: avatar, size, length."""

    def publish(
        self, figures: list[Figure], json_path: Path | None, **groups: Mapping[str, object]
    ) -> None:
        """Print the table; write the JSON object if a path is given.

        Args:
            groups: objects within that one, of figures of one kind by what they are of.
        """
        console = Console(width=110)
        header = {"machine": _machine(), "commit": _commit(), "load_at_start": _load()}
        for name, value in (header | dict(self.settings)).items():
            console.print(f"{name:>22}: {value}", highlight=False)
        table = Table("figure", "value", "goal", "state", title=f"loadtests.{self.benchmark}")
        for figure in figures:
            table.add_row(figure.name, _shown(figure.value), figure.goal, figure.state)
        console.print(table)
        if json_path is not None:
            document = {
                "benchmark": self.benchmark,
                **header,
                **self.settings,
                **{figure.name: figure.value for figure in figures},
                **groups,
                "states": {figure.name: figure.state for figure in figures},
            }
            json_path.write_text(json.dumps(document, indent=2) + "\n")


def peak_rss_mb() -> float:
    """The most memory that this process has had so far, 10^6 bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def _machine() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{model}, {cores} cores, {platform.system()}, Python {platform.python_version()}"


def _commit() -> str:
    """The commit that runs, with a `+` where the working tree differs."""
    folder = Path(__file__).resolve().parent

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _load() -> str:
    """What else the machine was doing: figures of a busy one are worth less."""
    return f"{os.getloadavg()[0]:.2f} processes in the last minute"


def _shown(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)

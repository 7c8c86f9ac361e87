"""Where the command writes: results to stdout, progress and errors to stderr."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

__all__ = ["console", "error_console", "progress_bars", "shown_time"]

console = Console(soft_wrap=True)
error_console = Console(stderr=True, soft_wrap=True)


def progress_bars() -> Progress:
    """A context of progress bars on stderr; their totals are fractions, 0..1."""
    return Progress(
        TextColumn("{task.description:<16}"),
        BarColumn(bar_width=32),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
        console=error_console,
    )


def shown_time(unix_ms: int) -> str:
    """A time as tables show it, in UTC."""
    return datetime.fromtimestamp(unix_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")

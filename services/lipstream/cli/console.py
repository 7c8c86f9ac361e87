"""Where the command writes: results to stdout, progress and errors to stderr."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

__all__ = ["console", "error_console", "progress_bars", "show_table", "shown_time"]

_WIDEST_CHARS = 10_000

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


def show_table(table: Table) -> None:
    """Print a table to stdout, each row as one whole line: ids are there to be copied, and a
    narrow terminal wraps the line."""
    options = console.options.update(max_width=_WIDEST_CHARS)
    wanted = Measurement.get(console, options, table).maximum
    Console(width=max(wanted, console.width), soft_wrap=True).print(table)


def shown_time(unix_ms: int) -> str:
    """A time as tables show it, in UTC."""
    return datetime.fromtimestamp(unix_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")

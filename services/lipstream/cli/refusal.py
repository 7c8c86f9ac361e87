"""What a user gets to see of an avatar that was not good enough."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import Progress

from lipstream.cli.avatar_report import report_shown
from lipstream.cli.console import error_console

__all__ = ["refusal_shown"]


@contextmanager
def refusal_shown(bars: Progress, name: str) -> Iterator[None]:
    """Around a fit: when it is refused, print its figures, keep its pictures and say where."""
    from lipstream.avatar.quality import PoorAvatar
    from lipstream.face.bundle import pack_picture
    from lipstream.runtime.settings import load_settings

    try:
        yield
    except PoorAvatar as refusal:
        bars.stop()
        sheet = load_settings().data_dir / "refused" / f"{name}.png"
        sheet.parent.mkdir(parents=True, exist_ok=True)
        sheet.write_bytes(pack_picture(refusal.sheet))
        error_console.print(report_shown(refusal.figures), highlight=False)
        error_console.print(f"What it looks like: {sheet}", highlight=False)
        raise

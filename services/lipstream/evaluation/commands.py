"""`lipstream evaluate`: figures of the trained models.

`cli` adds those that need the corpora of training, which this layer may not import.
"""

from __future__ import annotations

import typer

from lipstream.evaluation.video.command import video

__all__ = ["app"]

app = typer.Typer(help="Measure the trained models.")
app.command("video")(video)


@app.callback()
def _root() -> None:
    """Measure the trained models."""

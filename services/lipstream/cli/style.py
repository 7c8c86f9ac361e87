"""`lipstream style`: how somebody moves, as numbers for the services."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from lipstream.cli.console import console
from lipstream.cli.output import check_output
from lipstream.cli.talking import Generator

__all__ = ["style"]

_DIGITS = 6


def style(
    clip: Annotated[
        Path,
        typer.Argument(help="Of somebody who speaks: .csv (Live Link Face), .json or .npz."),
    ],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="FILE.json.")] = None,
    generator: Generator = None,
) -> None:
    """Read a style off a clip of motion: a JSON list, for `style` of POST /v1/videos and of live
    streams.

    `lipstream motion` and `lipstream render` take the clip itself, with --style.
    """
    from lipstream.face.motion_file import load_motion
    from lipstream.motion import open_generator
    from lipstream.runtime.settings import load_settings

    if out is not None:
        check_output(out, ".json")
    mover = open_generator(load_settings().generator if generator is None else generator)
    numbers = [round(float(value), _DIGITS) for value in mover.style_of(load_motion(clip))]
    if out is None:
        print(json.dumps(numbers))
        return
    out.write_text(json.dumps(numbers) + "\n")
    console.print(f"Wrote {out}: {len(numbers)} numbers", highlight=False)

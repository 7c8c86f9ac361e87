"""`lipstream voices`: what `--voice` takes."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from lipstream.cli.console import console

__all__ = ["voices"]


def voices(
    language: Annotated[str, typer.Argument(help="Such as en; all without it.")] = "",
) -> None:
    """List the built-in voices. A variant may follow, as in en-us+f3."""
    from lipstream.audio.voices import variants
    from lipstream.audio.voices import voices as known

    wanted = language.lower()
    table = Table("voice", "name", "gender", box=None)
    for voice in known():
        if voice.tag.lower().startswith(wanted):
            table.add_row(voice.tag, voice.name, voice.gender)
    console.print(table)
    console.print("Variants: " + " ".join(variants()), highlight=False)

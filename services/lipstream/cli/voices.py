"""`lipstream voices`: what `--voice` takes."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from lipstream.cli.console import console
from lipstream.errors import NotFound

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
    if not table.row_count:
        raise NotFound(
            f"There is no voice for {language!r}.",
            remedy="Give the start of a language tag such as en, de or cmn, or nothing to see all.",
        )
    console.print(table)
    console.print(
        "\nVariants, after a +: " + ", ".join(sorted(variants(), key=str.lower)), highlight=False
    )

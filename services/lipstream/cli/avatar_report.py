"""An avatar's quality report as tables for people."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

__all__ = ["papers_shown", "report_shown"]

_VISEME = re.compile(r"viseme_([a-z]+)_((?:gap|width)_(?:commanded|detected)|lips_offset)_mm")
_COLUMNS = {
    "gap_commanded": "gap asked",
    "gap_detected": "seen",
    "width_commanded": "width asked",
    "width_detected": "seen",
    "lips_offset": "lips off by",
}


def papers_shown(manifest: Mapping[str, Any]) -> RenderableType:
    """A bundle's manifest, of this version or another, without what only programs need."""
    source, rig = _mapping(manifest.get("source")), _mapping(manifest.get("rig"))
    consent = _mapping(manifest.get("consent"))
    facts = {
        "name": manifest.get("name"),
        "created": manifest.get("created"),
        "by": manifest.get("generator"),
        "from": f"{source.get('kind')}, {source.get('width')} x {source.get('height')} px",
        "consent": consent.get("statement"),
        "license": manifest.get("license"),
        "Gaussians": rig.get("gaussians"),
    }
    table = Table(box=None, show_header=False)
    for name, value in facts.items():
        if value:
            table.add_row(name, Text(str(value)))
    parts: list[RenderableType] = [table, report_shown(_mapping(manifest.get("quality")))]
    warnings = manifest.get("warnings")
    parts.extend(_warnings(warnings if isinstance(warnings, list) else []))
    return Group(*parts)


def report_shown(figures: Mapping[str, Any]) -> RenderableType:
    """The figures of a fit: those of the visemes as one table, the rest as another."""
    visemes: dict[str, dict[str, str]] = {}
    others = Table("figure", "value", box=None, title="quality", title_justify="left")
    numbers = {name: value for name, value in figures.items() if isinstance(value, int | float)}
    for name, value in numbers.items():
        if found := _VISEME.fullmatch(name):
            visemes.setdefault(found[1], {})[found[2]] = f"{value:.1f}"
        else:
            others.add_row(Text(name), f"{value:g}")
    if not visemes:
        return others
    mouths = Table("mm", box=None, title="mouth, seen on its pictures", title_justify="left")
    for column in _COLUMNS.values():
        mouths.add_column(column, justify="right")
    for name, measures in visemes.items():
        shown = name if name == "rest" else name.upper()
        mouths.add_row(shown, *(measures.get(column, "") for column in _COLUMNS))
    return Group(others, mouths)


def _warnings(notes: list[Any]) -> Iterator[Text]:
    for note in map(_mapping, notes):
        yield Text(f"note: {note.get('message', '')} {note.get('remedy', '')}".strip())


def _mapping(value: object) -> Mapping[str, Any]:
    """`value`; nothing where another version means something else by its name."""
    return value if isinstance(value, dict) else {}

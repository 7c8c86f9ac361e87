"""Rules that turn another rig's weights into ARKit's blendshapes: `arkit_mapping.csv`.

Two columns: an ARKit name, and a weight's name or `max(a,b,...)` over several.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lipstream.errors import BadInput, NotFound
from lipstream.face.arkit import BLENDSHAPE_COUNT, INDEX
from lipstream.face.motion import Floats

__all__ = ["ArkitMapping"]

_MAX = re.compile(r"max\(([^()]*)\)")
_NAME = re.compile(r"\w+")
_MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class ArkitMapping:
    """For each ARKit blendshape that moves, the weights of which it is the largest."""

    sources: dict[str, tuple[str, ...]]

    @classmethod
    def read(cls, path: Path) -> ArkitMapping:
        """
        Raises:
            NotFound: there is no such file.
            BadInput: a row names no ARKit blendshape or is no such rule.
        """
        if not path.is_file():
            raise NotFound(
                f"There is no file {path}.",
                remedy="Write one: a header, then rows of an ARKit name and the weight that it is.",
            )
        if path.stat().st_size > _MAX_BYTES:
            raise BadInput(f"{path.name} is too large for a table of 52 rules.")
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows = [row for row in csv.reader(file) if row][1:]
        except (UnicodeDecodeError, csv.Error):
            raise BadInput(f"{path.name} is no table of text.") from None
        return cls({name: sources for name, sources in (_rule(row, path) for row in rows)})

    def apply(self, weights: Floats, names: tuple[str, ...]) -> Floats:
        """ARKit's blendshapes `# [T, 52]`, clipped to 0..1.

        Args:
            weights: `# [T, N]` with one name a column.

        Raises:
            BadInput: a rule names a weight that is not there.
        """
        places = {name: place for place, name in enumerate(names)}
        missing = sorted({s for group in self.sources.values() for s in group} - set(places))
        if missing:
            raise BadInput(f"The weights lack {', '.join(missing)}, which the mapping names.")
        shapes = np.zeros((len(weights), BLENDSHAPE_COUNT), np.float32)
        for name, sources in self.sources.items():
            columns = [places[source] for source in sources]
            shapes[:, INDEX[name]] = weights[:, columns].max(axis=1)
        return np.clip(shapes, 0.0, 1.0)


def _rule(row: list[str], path: Path) -> tuple[str, tuple[str, ...]]:
    if len(row) != 2 or row[0] not in INDEX:
        raise BadInput(
            f"{path.name} has the row {','.join(row)!r}; an ARKit name and a rule were expected."
        )
    largest = _MAX.fullmatch(row[1].strip())
    sources = tuple(part.strip() for part in (largest[1] if largest else row[1]).split(","))
    if not all(_NAME.fullmatch(source) for source in sources):
        raise BadInput(
            f"{path.name} has the rule {row[1]!r}; a weight's name or max(a,b,...) was expected."
        )
    return row[0], sources

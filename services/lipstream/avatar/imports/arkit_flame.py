"""ARKit's blendshapes on a FLAME head: a linear map of our own making, and an approximate one.

Jaw and eyes are joints in FLAME, so their shapes follow from its geometry:

| ARKit | FLAME at weight 1 |
|---|---|
| jawOpen | jaw turned down by 20 degrees |
| jawLeft, jawRight | jaw turned by 8 degrees |
| jawForward | the jaw's vertices 6 mm forward |
| eyeLook... | the eye turned by 24 degrees |

FLAME's expressions are statistical and carry no names, and blinks are hardly among them. Which
coefficients stand for a smile or a pucker is read from a table that the user may give: CSV with the
columns `arkit,expression,weight`, expressions counted from 0. Without it lips follow the jaw only.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np

from lipstream.avatar.imports.flame import JAW, Doubles, FlameHead
from lipstream.errors import BadInput, NotFound
from lipstream.face.arkit import INDEX
from lipstream.face.drive import LOOK_RAD

__all__ = ["Expressions", "arkit_targets", "read_expressions"]

Expressions = dict[str, dict[int, float]]
"""Weights of FLAME's expression coefficients by ARKit's names."""

_OPEN_RAD, _ASIDE_RAD = np.deg2rad(20.0), np.deg2rad(8.0)
_FORWARD_M = 0.006
_MAX_BYTES = 1_000_000


def arkit_targets(head: FlameHead, expressions: Expressions) -> dict[str, Doubles]:
    """The head's vertices `# [V, 3]` at weight 1 of each ARKit shape that moves it.

    Raises:
        BadInput: a coefficient is not among the model's.
    """
    forward = np.array([0.0, 0.0, _FORWARD_M])
    targets = {
        "jawOpen": head.turned(JAW, (_OPEN_RAD, 0, 0)),
        "jawLeft": head.turned(JAW, (0, _ASIDE_RAD, 0)),
        "jawRight": head.turned(JAW, (0, -_ASIDE_RAD, 0)),
        "jawForward": head.vertices + head.model.weights[:, JAW, None] * forward,
    }
    for side, joint, outwards in zip(("Left", "Right"), head.eyes, (1.0, -1.0), strict=True):
        targets |= {
            f"eyeLookUp{side}": head.turned(joint, (-LOOK_RAD, 0, 0)),
            f"eyeLookDown{side}": head.turned(joint, (LOOK_RAD, 0, 0)),
            f"eyeLookOut{side}": head.turned(joint, (0, outwards * LOOK_RAD, 0)),
            f"eyeLookIn{side}": head.turned(joint, (0, -outwards * LOOK_RAD, 0)),
        }
    count = head.model.shapes.shape[2] - 300
    for name, coefficients in expressions.items():
        if max(coefficients) >= count:
            raise BadInput(f"{name} names expression {max(coefficients)} of {count} in the model.")
        move = head.expressed(coefficients) - head.vertices
        targets[name] = targets.get(name, head.vertices) + move
    return targets


def read_expressions(path: Path) -> Expressions:
    """The table described above.

    Raises:
        NotFound: there is no such file.
        BadInput: a row is no ARKit name, index and weight.
    """
    if not path.is_file():
        raise NotFound(f"There is no file {path}.")
    if path.stat().st_size > _MAX_BYTES:
        raise BadInput(f"{path.name} is too large for a table of expressions.")
    table: Expressions = defaultdict(dict)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        for number, row in enumerate(csv.reader(file), 1):
            if not row or row == ["arkit", "expression", "weight"]:
                continue
            try:
                name, index, weight = row[0], int(row[1]), float(row[2])
                if name not in INDEX or index < 0 or not np.isfinite(weight) or len(row) != 3:
                    raise ValueError
            except (ValueError, IndexError):
                raise BadInput(
                    f"Line {number} of {path.name} is no ARKit name, expression index and weight.",
                ) from None
            table[name][index] = weight
    return dict(table)

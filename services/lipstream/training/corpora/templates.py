"""Neutral faces of a vertex corpus: `templates.pkl`, one mesh for each subject."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lipstream.errors import BadInput
from lipstream.face.motion import Floats
from lipstream.training.corpora.safe_pickle import read_pickle

__all__ = ["mapping", "read_templates"]


def read_templates(path: Path) -> dict[str, Floats]:
    """Template of each subject. `# [V, 3]` each

    Stored as `(V, 3)` (VOCASET) or flat as `(3 V,)` (BIWI).

    Raises:
        NotFound, BadInput: the file is not there, or holds no meshes of one vertex count.
    """
    templates = {}
    for subject, value in mapping(read_pickle(path), path.name).items():
        array = np.asarray(value)
        flat = array.ndim == 1 and array.size % 3 == 0
        if array.dtype.kind not in "fi" or not (flat or (array.ndim == 2 and array.shape[1] == 3)):
            raise BadInput(
                f"The template of {subject} in {path.name} has shape {array.shape}; "
                "(V, 3) or (3 V,) was expected."
            )
        templates[str(subject)] = array.reshape(-1, 3).astype(np.float32)
    counts = sorted({len(template) for template in templates.values()})
    if len(counts) != 1:
        raise BadInput(
            f"{path.name} holds templates of {counts or 'no'} vertices; one count for all subjects "
            "was expected."
        )
    return templates


def mapping(value: Any, name: str) -> Mapping[Any, Any]:
    """The value, which is to be a dictionary.

    Raises:
        BadInput: it is not.
    """
    if not isinstance(value, Mapping):
        raise BadInput(f"{name} holds a {type(value).__name__}; a dictionary was expected.")
    return value

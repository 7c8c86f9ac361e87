"""What the shards of a corpus were made from, kept beside them, so that a build that goes on after
an interruption does not mix two corpora."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from lipstream.errors import Conflict

__all__ = ["claim_shards"]


def claim_shards(folder: Path, kind: str, settings: Mapping[str, str | int | bool]) -> None:
    """Write `<kind>.json` where there is none; compare where there is one.

    Raises:
        Conflict: the shards of that kind were made with other settings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{kind}.json"
    wanted = dict(settings)
    try:
        known = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(wanted, indent=1), "utf-8")
        os.replace(partial, path)
        return
    except ValueError:
        known = None
    if known != wanted:
        different = [name for name in wanted if not isinstance(known, dict)
                     or known.get(name) != wanted[name]]  # fmt: skip
        raise Conflict(
            f"The shards {kind}-*.npz in {folder} were made from other "
            f"{' and '.join(different)} than asked for now.",
            remedy=f"Name another folder, or delete them with {path.name}.",
        )

"""What was found, as tables for people and as JSON for programs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from lipstream.evaluation.video.score import VideoScore
from lipstream.evaluation.video.separation import SWAPPED, Separation
from lipstream.evaluation.video.sight import Sight

__all__ = ["as_json", "figures_table", "separation_table", "sight_line", "swap_line"]

_COUNTS = frozenset({"clips", "pbm_count"})
_MS = "_ms"


def figures_table(scores: Mapping[str, VideoScore]) -> Table:
    """One column for each source."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, title_justify="left")
    table.add_column("figure", no_wrap=True)
    for name in scores:
        table.add_column(name, justify="right")
    for field in fields(VideoScore):
        values = [getattr(score, field.name) for score in scores.values()]
        table.add_row(field.name, *(_text(field.name, value) for value in values))
    return table


def separation_table(source: str, found: Separation) -> Table:
    """One column for each speech that the clips were held against."""
    columns = {"true": found.true} | {name: c.pooled for name, c in found.controls.items()}
    table = figures_table(columns)
    table.title = f"{source}: held against its own speech, that speech moved, and others'"
    table.add_section()
    total = len(found.by_clip)
    beaten = (f"{control.clips_beaten}/{total}" for control in found.controls.values())
    table.add_row("clips that agree less", "", *beaten)
    return table


def swap_line(found: Separation) -> str:
    """How the true pairing compares with every other one that was tried."""
    control = found.controls[SWAPPED]
    lowest, highest = control.pooled_range
    return (
        f"Pooled agreement over all ways to swap: {lowest:.3f} to {highest:.3f}, "
        f"true {found.true.agreement:.3f}; in {control.clips_beaten_by_all} of "
        f"{len(found.by_clip)} clips the true speech agrees better than that of each other clip."
    )


def sight_line(source: str, sights: Sequence[Sight]) -> str:
    """How well the faces could be seen: what limits the figures."""
    rates = sorted({round(sight.fps) for sight in sights})
    sizes = [sight.eye_distance_px for sight in sights]
    shut = [sight.shut_mm for sight in sights]
    return (
        f"{source}: {len(sights)} clips, {'/'.join(map(str, rates))} fps, eyes "
        f"{min(sizes):.0f} to {max(sizes):.0f} px apart, shut below "
        f"{min(shut):.1f} to {max(shut):.1f} mm, a face in "
        f"{min(sight.seen_share for sight in sights):.0%} of the frames or more"
    )


def as_json(sights: Mapping[str, Sequence[Sight]], found: Mapping[str, Separation]) -> Any:
    """By source: the pooled figures, each clip's, and those of the controls."""
    return {
        source: {
            "true": _plain(asdict(result.true)),
            "clips": [
                {
                    "name": sight.name,
                    "fps": _plain(sight.fps),
                    "eye_distance_px": _plain(sight.eye_distance_px),
                    "shut_mm": _plain(sight.shut_mm),
                    "seen_share": sight.seen_share,
                    "figures": _plain(asdict(score)),
                }
                for sight, score in zip(sights[source], result.by_clip, strict=True)
            ],
            "controls": {name: _plain(asdict(c)) for name, c in result.controls.items()},
        }
        for source, result in found.items()
    }


def _text(name: str, value: float) -> str:
    if not math.isfinite(value):
        return "-"
    return f"{value:.0f}" if name in _COUNTS or name.endswith(_MS) else f"{value:.3f}"


def _plain(value: Any) -> Any:
    """Without NaN, which JSON does not have."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

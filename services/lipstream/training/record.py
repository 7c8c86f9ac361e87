"""What a run was trained with: kept in its folder when it starts, written beside what is exported.

`record.json` holds what only the command knows: the preset, the settings, the corpora, and the
whole record of the run that it was trained on from, so that the chain stays complete wherever the
weights go. The chosen step and its figures are read from the run's log. Nothing names a folder.
"""

from __future__ import annotations

import csv
import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from lipstream import __version__
from lipstream.errors import BadInput
from lipstream.training.pools import INGREDIENTS, Part
from lipstream.training.validation import DevSpeech

__all__ = [
    "REPORT",
    "RunRecord",
    "described",
    "keep_record",
    "training_report",
    "used_corpora",
    "used_dev",
]

REPORT = "TRAINING.md"
"""Name of the file beside exported weights."""
_RECORD = "record.json"
_LOGS = ("generation.csv", "log.csv")
_UNRECORDED = "This run kept no record of its corpora and command."


@dataclass(frozen=True, slots=True)
class RunRecord:
    preset: str
    settings: Mapping[str, Any]
    """All of them, tables within tables."""
    overrides: Mapping[str, Any]
    """Those of the configuration file and the command, over the preset's."""
    corpora: Sequence[Mapping[str, Any]]
    dev: Mapping[str, float]
    encoder: str
    """Of the features that it was trained on."""
    earlier: Mapping[str, Any] | None = None
    """The described run that it was trained on from."""


def keep_record(run: Path, record: RunRecord, device: str) -> None:
    """Write it to the run's folder, with the versions of the packages; a later one replaces it."""
    run.mkdir(parents=True, exist_ok=True)
    versions = {
        "lipstream": __version__,
        "torch": torch.__version__,
        "Python": platform.python_version(),
    }
    whole = {**asdict(record), "versions": versions, "device": device}
    partial = run / f"{_RECORD}.partial"
    partial.write_text(json.dumps(whole, indent=1), "utf-8")
    partial.replace(run / _RECORD)


def used_corpora(folder: Path, parts: Sequence[Part], copied: bool) -> list[dict[str, Any]]:
    """What was drawn from, with what the shards say they were made of.

    Args:
        copied: every utterance was heard in as many recordings as the recipe says.
    """
    corpora = []
    for part in parts:
        known = INGREDIENTS.get(part.name)
        made = folder / f"{part.name}.json"
        corpora.append(
            {
                **asdict(part),
                "recordings": known.copies if known and copied else 1,
                "seed": known.seed if known else None,
                "made": json.loads(made.read_text("utf-8")) if made.is_file() else {},
            }
        )
    return corpora


def used_dev(dev: Sequence[DevSpeech]) -> dict[str, float]:
    """How much development speech chose the step."""
    return {
        "recordings": len(dev),
        "speakers": len({item.utterance.speaker for item in dev}),
        "minutes": round(sum(item.utterance.duration_s for item in dev) / 60, 2),
    }


def described(run: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a run with its outcome.

    Args:
        settings: what its weights say, for runs that kept no record.

    Raises:
        BadInput: the record cannot be read.
    """
    path = run / _RECORD
    whole: dict[str, Any] = {"settings": settings, "unrecorded": True}
    if path.is_file():
        try:
            whole = dict(json.loads(path.read_text("utf-8")))
        except ValueError as error:
            raise BadInput(f"{path} is no record of a training: {error}.") from None
    return {**whole, "outcome": _outcome(run)}


def _outcome(run: Path) -> dict[str, float]:
    """The row of the log whose weights were kept; empty without a log."""
    path = next((run / name for name in _LOGS if (run / name).is_file()), None)
    if path is None:
        return {}
    with path.open(newline="") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    return max(rows, key=lambda row: row.get("objective", -row.get("held", 0.0)), default={})


def training_report(name: str, record: Mapping[str, Any], encoder: str) -> str:
    """Markdown.

    Args:
        record: as `described` gives it.
        encoder: whose features the exported model takes, or which was trained along.
    """
    lines = [
        f"# How {name} was trained",
        "Written by `lipstream train export`. See ../MODEL_CARD.md for what the model is for.",
        "",
        f"Speech encoder: {encoder}.",
        "",
        *_section(record, "##"),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _section(record: Mapping[str, Any], level: str) -> Iterator[str]:
    if record.get("unrecorded"):
        yield from (_UNRECORDED, "")
    else:
        changed = ", ".join(f"{k} = {v}" for k, v in _flat(record["overrides"])) or "none"
        versions = ", ".join(f"{k} {v}" for k, v in record["versions"].items())
        yield f"- preset: {record['preset']}"
        yield f"- settings over the preset's: {changed}"
        yield f"- trained on features of: {record['encoder']}"
        yield f"- on: {record['device']}; {versions}"
        start = 'the run under "Trained on from"' if record["earlier"] else "the preset's"
        yield from (f"- start: {start}", "")
        yield from _corpora(record["corpora"])
    yield from _figures(record["outcome"], record.get("dev") or {}, level)
    yield from (f"{level} All settings", "```")
    yield from (f"{k} = {v}" for k, v in _flat(record["settings"]))
    yield from ("```", "")
    if record.get("earlier"):
        yield from (f"{level} Trained on from", "")
        yield from _section(record["earlier"], f"{level}#")


def _corpora(corpora: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "| corpus | hours of examples | share | recordings of each | seed of these | made from |"
    yield "|---|---|---|---|---|---|"
    for part in corpora:
        made = ", ".join(f"{k} {v}" for k, v in part["made"].items()) or "-"
        seed = "-" if part["seed"] is None else part["seed"]
        yield (
            f"| {part['name']} | {part['hours']:.3g} | {part['share']:.0%} | "
            f"{part['recordings']} | {seed} | {made} |"
        )
    yield ""


def _figures(outcome: Mapping[str, float], dev: Mapping[str, float], level: str) -> Iterator[str]:
    yield f"{level} The step that was kept"
    if not outcome:
        yield from ("Without development speech the loss chose it; there is no log.", "")
        return
    if dev.get("recordings"):
        yield (
            f"Chosen on development speech: {dev['recordings']} recordings of {dev['speakers']} "
            f"speakers, {dev['minutes']} minutes.\n"
        )
    yield "| figure | value |"
    yield "|---|---|"
    yield from (f"| {name} | {value:.4g} |" for name, value in outcome.items())
    yield ""


def _flat(values: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{place}{name}.")
        else:
            yield f"{place}{name}", value

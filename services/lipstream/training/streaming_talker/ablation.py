"""The paper's ablations at small scale: the same short training, each time without one part."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lipstream.audio.encoder import SpeechEncoder
from lipstream.training.streaming_talker.clips import ClipPool
from lipstream.training.streaming_talker.config import TalkerConfig
from lipstream.training.streaming_talker.trainer import TalkerTraining, train_talker
from lipstream.training.validation import DevSpeech

__all__ = ["ABLATIONS", "Ablation", "ablate", "as_table"]

_ALL_HISTORY = 400
"""Frames; longer than any clip that is trained on or judged by here."""


@dataclass(frozen=True, slots=True)
class Ablation:
    name: str
    change: Callable[[TalkerConfig], TalkerConfig]
    own_autoencoder: bool = False


def _predictor(**changes: int | bool) -> Callable[[TalkerConfig], TalkerConfig]:
    return lambda config: replace(config, predictor=replace(config.predictor, **changes))  # type: ignore[arg-type]


ABLATIONS: tuple[Ablation, ...] = (
    Ablation("complete", lambda config: config),
    Ablation("no diffusion head", lambda config: replace(config, diffusion=False)),
    Ablation(
        "no VQ",
        lambda config: replace(config, latent=replace(config.latent, quantised=False)),
        own_autoencoder=True,
    ),
    Ablation("all history", _predictor(history=_ALL_HISTORY)),
    Ablation("no cross-attention", _predictor(cross_attention=False)),
    Ablation("no self-attention", _predictor(self_attention=False)),
    Ablation("events from the sample", lambda config: replace(config, event_head=False)),
)


def ablate(
    config: TalkerTraining,
    pool: ClipPool,
    dev: Sequence[DevSpeech],
    encoder: SpeechEncoder,
    folder: Path,
    *,
    report: Callable[[str], None] = lambda line: None,
) -> dict[str, Mapping[str, float]]:
    """Figures on `dev` of each variant, trained as `config` says.

    Variants with the same autoencoder share it. A folder that holds runs is gone on with.
    """
    figures = {}
    for ablation in ABLATIONS:
        run = folder / ablation.name.replace(" ", "_")
        run.mkdir(parents=True, exist_ok=True)
        shared = folder / "complete" / "motion.pt"
        if not ablation.own_autoencoder and shared.exists() and not (run / "motion.pt").exists():
            shutil.copy(shared, run / "motion.pt")
        report(f"{ablation.name}:")
        training = replace(config, network=ablation.change(config.network))
        figures[ablation.name] = train_talker(
            training, pool, dev, encoder, run, report=report
        ).figures
    return figures


def as_table(figures: Mapping[str, Mapping[str, float]]) -> str:
    """Markdown, one row a variant."""
    columns = list(next(iter(figures.values())))
    lines = ["| variant | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, values in figures.items():
        cells = (f"{values[column]:.3f}" for column in columns)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"

"""What `lipstream train` does for each preset."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipstream.audio.encoder import SpeechEncoder
from lipstream.errors import BadInput, NotFound
from lipstream.inference import EncoderIdentity, OnnxModel
from lipstream.training.examples import Pool
from lipstream.training.export import (
    Exported,
    export_models,
    load_trained,
    trained_settings,
)
from lipstream.training.overrides import overridden
from lipstream.training.pools import Part, development_speech, parts_of, recipe_examples
from lipstream.training.record import (
    REPORT,
    RunRecord,
    described,
    keep_record,
    training_report,
    used_corpora,
    used_dev,
)

if TYPE_CHECKING:
    from lipstream.training.streaming_talker.clips import ClipPool
    from lipstream.training.streaming_talker.trainer import TalkerTraining
    from lipstream.training.trainer import TrainConfig
    from lipstream.training.validation import DevSpeech

__all__ = ["Recipe", "ablate_talker", "export_run", "train_preset"]

Report = Callable[[str], None]

_BASELINE, _OWN = "baseline", "arkit"
_ALIASES = {"streaming_talker": _OWN}
_BASELINE_WEIGHTS, _TALKER_WEIGHTS = "best.pt", "talker.pt"


@dataclass(frozen=True, slots=True)
class Recipe:
    preset: str
    corpus: Path
    run: Path
    dev: Path | None = None
    earlier: Path | None = None
    motion_corpus: Path | None = None
    encoder: str = "own"
    overrides: Mapping[str, Any] = field(default_factory=dict)
    steps: int | None = None
    seed: int = 0
    threads: int = 1


def train_preset(recipe: Recipe, *, report: Report = lambda line: None) -> Path:
    """Train; returns the file of the weights.

    Raises:
        BadInput: the preset, the configuration or the data cannot be used.
        NotFound: data or weights are not where they are said to be.
    """
    name = _ALIASES.get(recipe.preset, recipe.preset)
    if name == _BASELINE:
        return _train_baseline(recipe, report)
    if recipe.earlier is not None:
        raise BadInput(
            f"Only the baseline is trained on from an earlier run, not {recipe.preset}.",
            remedy="Leave out --from; a run that was interrupted goes on by itself.",
        )
    if recipe.motion_corpus is not None:
        return _train_recorded(recipe, name, recipe.motion_corpus, report)
    if name != _OWN:
        from lipstream.training.streaming_talker.presets import preset

        preset(name)  # refuses names that nothing has
        raise BadInput(
            f"The preset {name} trains on recorded motion.",
            remedy="Name the folder of the corpus with --motion-corpus.",
        )
    return _train_talker(recipe, report)


def export_run(run: Path, root: Path) -> list[Exported]:
    """Write what a run has trained below `root`: baseline and encoder, or StreamingTalker.

    Raises:
        NotFound: the run has no finished weights.
        BadInput: they are of another kind, or cannot stream.
    """
    if (run / _TALKER_WEIGHTS).is_file():
        from lipstream.training.streaming_talker.checkpoint import read_checkpoint
        from lipstream.training.streaming_talker.export import export_talker

        network = read_checkpoint(run / _TALKER_WEIGHTS)
        exported = [export_talker(network, root)]
        said = network.config.encoder
        encoder = str(EncoderIdentity.decode(said)) if said else "not said"
        settings: Mapping[str, Any] = {"network": asdict(network.config)}
    elif (run / _BASELINE_WEIGHTS).is_file():
        weights = load_trained(run / _BASELINE_WEIGHTS)
        exported = list(export_models(*weights, root))
        encoder = f"trained along, weights {OnnxModel(exported[0].path).digest}"
        settings = trained_settings(run / _BASELINE_WEIGHTS)
    else:
        raise NotFound(
            f"{run} holds no finished training.", remedy="Train with `lipstream train motion`."
        )
    record = described(run, settings)
    for model in exported:
        folder = model.path.parent.parent
        (folder / REPORT).write_text(training_report(folder.name, record, encoder), "utf-8")
    return exported


def _train_baseline(recipe: Recipe, report: Report) -> Path:
    from lipstream.training.trainer import TrainConfig, train

    if recipe.motion_corpus is not None:
        raise BadInput("The baseline trains on labelled speech, not on recorded motion.")
    if recipe.encoder != "own":
        raise BadInput(
            "The baseline is trained together with an encoder of its own.",
            remedy="Choose the preset streaming_talker, or leave out --encoder.",
        )
    config = TrainConfig(seed=recipe.seed, threads=recipe.threads)
    config = overridden(config, recipe.overrides)
    if recipe.steps is not None:
        config = replace(config, steps=recipe.steps)
    earlier = load_trained(recipe.earlier / _BASELINE_WEIGHTS) if recipe.earlier else None
    if earlier is not None:
        config = replace(config, encoder=earlier[0].config, motion=earlier[1].config)
    kinds = recipe_examples(recipe.corpus, recipe.run / "examples", report=report)
    dev = development_speech(recipe.dev) if recipe.dev else []
    before = None
    if recipe.earlier is not None:
        before = described(recipe.earlier, trained_settings(recipe.earlier / _BASELINE_WEIGHTS))
    parts = parts_of((kind.name, kind.share, kind.examples) for kind in kinds)
    _keep(recipe, config, parts, dev, "an encoder trained along", earlier=before)
    pool = Pool([(kind.share, kind.examples) for kind in kinds])
    trained = train(config, pool, dev, recipe.run, earlier=earlier, report=report)
    report(f"best after {trained.steps} steps")
    return recipe.run / _BASELINE_WEIGHTS


def _train_talker(recipe: Recipe, report: Report) -> Path:
    from lipstream.audio.speech_models import EncoderChoice, open_voiced_extractor
    from lipstream.training.streaming_talker.recordings import recording_pool
    from lipstream.training.streaming_talker.trainer import train_talker

    config = _talker_training(recipe)
    choice = EncoderChoice.parse(recipe.encoder)
    if choice.path is None:
        encoder = SpeechEncoder()
        pool, dev = _talker_data(recipe, encoder, report)
        _keep(recipe, config, pool.parts, dev, str(encoder.identity))
        train_talker(config, pool, dev, encoder, recipe.run, report=report)
        return recipe.run / _TALKER_WEIGHTS
    extractor = open_voiced_extractor(choice)
    cache = _heard_folder(recipe, choice.kind, f"{choice} {extractor.identity}")
    pool = recording_pool(recipe.corpus, extractor, cache, report=report)
    dev = development_speech(recipe.dev) if recipe.dev else []
    _keep(recipe, config, pool.parts, dev, str(extractor.identity), copied=False)
    train_talker(config, pool, dev, extractor, recipe.run, report=report)
    return recipe.run / _TALKER_WEIGHTS


def _keep(
    recipe: Recipe,
    config: TrainConfig | TalkerTraining,
    parts: Sequence[Part],
    dev: Sequence[DevSpeech],
    encoder: str,
    *,
    copied: bool = True,
    earlier: Mapping[str, Any] | None = None,
) -> None:
    overrides = {**recipe.overrides, "seed": recipe.seed}
    if recipe.steps is not None:
        overrides["--steps"] = recipe.steps
    record = RunRecord(
        recipe.preset,
        asdict(config),
        overrides,
        used_corpora(recipe.corpus, parts, copied),
        used_dev(dev),
        encoder,
        earlier,
    )
    keep_record(recipe.run, record, "cpu")


def ablate_talker(recipe: Recipe, *, report: Report = lambda line: None) -> str:
    """Train every variant of the ablations; returns their table, which is also kept.

    Raises:
        BadInput: data or configuration cannot be used.
    """
    from lipstream.training.streaming_talker.ablation import ablate, as_table

    encoder = SpeechEncoder()
    pool, dev = _talker_data(recipe, encoder, report)
    table = as_table(
        ablate(_talker_training(recipe), pool, dev, encoder, recipe.run, report=report)
    )
    (recipe.run / "ablation.md").write_text(table)
    return table


def _talker_training(recipe: Recipe) -> TalkerTraining:
    from lipstream.training.streaming_talker.trainer import TalkerTraining

    config = TalkerTraining(seed=recipe.seed, threads=recipe.threads)
    config = overridden(config, recipe.overrides)
    if recipe.steps is not None:
        config = replace(config, generation=replace(config.generation, steps=recipe.steps))
    return config


def _talker_data(
    recipe: Recipe, encoder: SpeechEncoder, report: Report
) -> tuple[ClipPool, list[DevSpeech]]:
    from lipstream.training.streaming_talker.clips import clip_pool

    kinds = recipe_examples(recipe.corpus, recipe.run / "examples", report=report)
    cache = _heard_folder(recipe, "own", str(encoder.identity))
    pool = clip_pool(kinds, encoder, cache, report)
    return pool, development_speech(recipe.dev) if recipe.dev else []


def _heard_folder(recipe: Recipe, kind: str, encoder: str) -> Path:
    """One for each encoder: the features of another, or of another window, are others."""
    return recipe.run / f"heard-{kind}-{hashlib.sha256(encoder.encode()).hexdigest()[:12]}"


def _train_recorded(recipe: Recipe, name: str, folder: Path, report: Report) -> Path:
    from lipstream.audio.speech_models import EncoderChoice, open_extractor
    from lipstream.training.clip_features import FeatureStore
    from lipstream.training.corpora.recognise import open_motion_corpus
    from lipstream.training.streaming_talker.presets import preset
    from lipstream.training.streaming_talker.recorded import RecordedTraining, train_recorded

    config = RecordedTraining(preset(name), seed=recipe.seed, threads=recipe.threads)
    config = overridden(config, recipe.overrides)
    if recipe.steps is not None:
        config = replace(config, generation=replace(config.generation, steps=recipe.steps))
    corpus = open_motion_corpus(folder)
    choice = EncoderChoice.parse(recipe.encoder)
    extractor = open_extractor(choice)
    store = FeatureStore(recipe.run / "features", corpus, choice)
    network = replace(config.network, encoder=extractor.identity.encode())
    config = replace(config, network=network)
    report(f"{store.build(extractor)} of {len(corpus)} clips heard now")
    train_recorded(config, corpus, store, extractor.feature_count, recipe.run, report=report)
    return recipe.run / _TALKER_WEIGHTS

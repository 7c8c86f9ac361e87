"""HuBERT, wav2vec 2.0 and Whisper by transformers and torch: the one serving module with torch.

It is imported only where such an encoder is configured. Weights are read from the given folder and
never from the network; no code that lies beside them is run. Live use needs a GPU: each block costs
a run over its whole window, for models of HuBERT's base size about a second of one CPU core.

Rows and samples. HuBERT and wav2vec 2.0 begin with convolutions of stride 320 over 400 samples:
row `j` sees samples 320 j to 320 j + 400. Whisper's log-mel frames lie on a grid of 160 samples,
each over 400 about its place, and two convolutions of three frames halve their rate: row `j` sees
the 520 samples to either side of 320 j. Whisper always gets 30 s: what follows a window is silence.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lipstream.audio.encoder import FEATURE_RATE_HZ, Features
from lipstream.audio.pcm import SAMPLE_RATE_HZ, Samples
from lipstream.audio.speech_models.checkpoint import Checkpoint
from lipstream.audio.speech_models.window import ROW_SAMPLES
from lipstream.audio.speech_models.windowed import SpeechNetwork
from lipstream.errors import BadInput, NotFound
from lipstream.inference import EncoderIdentity

__all__ = ["load_network"]

_MODELS = {"hubert": "HubertModel", "wav2vec2": "Wav2Vec2Model", "whisper": "WhisperModel"}
# Used in pretraining alone, so some checkpoints come without it.
_SPARE_WEIGHTS = ("masked_spec_embed",)


def load_network(kind: str, folder: Path, layer: int | None, device: str) -> SpeechNetwork:
    """
    Raises:
        NotFound: transformers is not installed, or the weights are not there.
        BadInput: they are of another model, incomplete or damaged, or there is no such layer.
    """
    checkpoint = Checkpoint.find(kind, folder)
    model = _load(kind, checkpoint).eval().requires_grad_(False)
    chosen = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    if kind == "whisper":
        return _Whisper(model.encoder.to(chosen), checkpoint, layer)
    return _Wave(kind, model.to(chosen), checkpoint, layer)


def _load(kind: str, checkpoint: Checkpoint) -> Any:
    transformers = _transformers()
    model_class = _named(transformers, _MODELS[kind])
    with _quiet(transformers):
        try:
            model, report = model_class.from_pretrained(
                str(checkpoint.folder),
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=checkpoint.safetensors,
                weights_only=True,
                output_loading_info=True,
                dtype=torch.float32,
            )
        except Exception as error:  # each library below has its own kinds of error
            raise BadInput(
                f"The {kind} model in {checkpoint.folder} cannot be loaded: {_first_line(error)}.",
                remedy="Download it again, all files from one place.",
                code="model_damaged",
            ) from error
    missing = [key for key in sorted(report["missing_keys"]) if not key.endswith(_SPARE_WEIGHTS)]
    if missing:
        raise BadInput(
            f"The weights in {checkpoint.folder} lack {len(missing)} tensors of the {kind} model, "
            f"such as {missing[0]}.",
            remedy="Download it again, all files from one place.",
            code="model_damaged",
        )
    return model


class _Wave:
    """HuBERT or wav2vec 2.0."""

    most_rows: int | None = None

    def __init__(self, kind: str, model: Any, checkpoint: Checkpoint, layer: int | None) -> None:
        config = model.config
        stride, covered = 1, 1
        for kernel, step in zip(config.conv_kernel, config.conv_stride, strict=True):
            covered += (kernel - 1) * stride
            stride *= step
        if stride != ROW_SAMPLES:
            raise BadInput(
                f"The model in {checkpoint.folder} gives {SAMPLE_RATE_HZ / stride:g} features a "
                f"second; {FEATURE_RATE_HZ} were expected."
            )
        self.feature_count: int = config.hidden_size
        self.tail_samples = covered - ROW_SAMPLES
        self.centre_samples = covered // 2
        self._model = model
        self._layer = _checked_layer(layer, config.num_hidden_layers)
        self.identity = EncoderIdentity(kind, self.feature_count, checkpoint.digest(), layer)
        self._normalised = bool(checkpoint.preprocessor.get("do_normalize", True))

    def run(self, windows: Samples) -> Features:
        if self._normalised:
            mean = windows.mean(axis=1, keepdims=True)
            windows = (windows - mean) / np.sqrt(windows.var(axis=1, keepdims=True) + 1e-7)
        tensor = torch.from_numpy(np.ascontiguousarray(windows, np.float32))
        return _features(self._model, tensor.to(self._model.device), self._layer)


class _Whisper:
    """Whisper's encoder."""

    # A frame of log-mel reaches 200 samples ahead, and the convolutions two frames further.
    tail_samples = 200
    centre_samples = 0

    def __init__(self, encoder: Any, checkpoint: Checkpoint, layer: int | None) -> None:
        config = encoder.config
        self.feature_count: int = config.d_model
        self.most_rows = config.max_source_positions - 1
        self._encoder = encoder
        self._layer = _checked_layer(layer, config.encoder_layers)
        self.identity = EncoderIdentity("whisper", self.feature_count, checkpoint.digest(), layer)
        self._samples = config.max_source_positions * ROW_SAMPLES
        extractor_class = _named(_transformers(), "WhisperFeatureExtractor")
        self._log_mel = extractor_class(
            **{**checkpoint.preprocessor, "feature_size": config.num_mel_bins}
        )

    def run(self, windows: Samples) -> Features:
        rows = (windows.shape[1] - self.tail_samples) // ROW_SAMPLES
        mel = self._log_mel(
            list(windows),
            sampling_rate=SAMPLE_RATE_HZ,
            padding="max_length",
            max_length=self._samples,
            return_tensors="pt",
        ).input_features
        features = _features(self._encoder, mel.to(self._encoder.device), self._layer)
        return features[:, :rows]


@torch.inference_mode()
def _features(model: Any, inputs: torch.Tensor, layer: int | None) -> Features:
    output = model(inputs, output_hidden_states=layer is not None, return_dict=True)
    hidden = output.last_hidden_state if layer is None else output.hidden_states[layer]
    return np.asarray(hidden.float().cpu().numpy(), np.float32)


def _checked_layer(layer: int | None, count: int) -> int | None:
    if layer is not None and not 0 <= layer <= count:
        raise BadInput(f"The speech encoder has {count} layers; there is no layer {layer}.")
    return layer


def _transformers() -> Any:
    # By name, since type checkers would follow its import for minutes.
    try:
        return importlib.import_module("transformers")
    except ImportError as error:
        raise NotFound(
            "transformers is not installed, and HuBERT, wav2vec 2.0 and Whisper need it.",
            remedy="Install it with `pip install 'lipstream[transformers]'`.",
        ) from error


def _named(transformers: Any, name: str) -> Any:
    """A class of transformers, which looks for the packages that it needs only now."""
    try:
        return getattr(transformers, name)
    except ImportError as error:
        raise NotFound(
            f"transformers cannot provide its {name}: {_first_line(error)}.",
            remedy="Install it and what it needs with `pip install 'lipstream[transformers]'`.",
        ) from error


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Without progress bars and reports on tensors: what matters is raised."""
    logging = transformers.utils.logging
    verbosity, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bar:
            logging.enable_progress_bar()


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0].rstrip('.')}" if lines else type(error).__name__

"""A folder of pretrained weights, looked at before anything heavy is loaded."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lipstream.errors import BadInput, NotFound

__all__ = ["Checkpoint"]

_EXAMPLES = {
    "hubert": "facebook/hubert-base-ls960",
    "wav2vec2": "facebook/wav2vec2-base-960h",
    "whisper": "openai/whisper-base",
}
_SAFE = ("model.safetensors", "model.safetensors.index.json")
_TORCH = ("pytorch_model.bin", "pytorch_model.bin.index.json")
_DIGEST_LENGTH = 16
_MAX_JSON_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder as transformers' `save_pretrained` writes it."""

    folder: Path
    config: dict[str, Any]
    preprocessor: dict[str, Any]
    """`preprocessor_config.json`, empty where there is none."""
    safetensors: bool

    @classmethod
    def find(cls, kind: str, folder: Path) -> Checkpoint:
        """
        Args:
            kind: `hubert`, `wav2vec2` or `whisper`.

        Raises:
            NotFound: the folder, its configuration or its weights are not there.
            BadInput: they are of another kind of model, or damaged.
        """
        remedy = (
            f"Download a model such as {_EXAMPLES[kind]} and name the folder that holds its "
            "config.json and model.safetensors."
        )
        if not folder.is_dir():
            raise NotFound(
                f"There is no folder {folder} with a {kind} model.",
                remedy=remedy,
                code="model_not_found",
            )
        if not (folder / "config.json").is_file():
            raise NotFound(f"{folder} has no config.json.", remedy=remedy, code="model_not_found")
        config = _read(folder / "config.json")
        found = config.get("model_type")
        if found != kind:
            other = f" Or write {found}:{folder}." if found in _EXAMPLES else ""
            raise BadInput(
                f"{folder} holds a model of type {found!r}; {kind!r} was expected.",
                remedy=remedy + other,
                code="model_mismatch",
            )
        safe = any((folder / name).is_file() for name in _SAFE)
        if not safe and not any((folder / name).is_file() for name in _TORCH):
            raise NotFound(
                f"{folder} has no weights: neither {_SAFE[0]} nor {_TORCH[0]}.",
                remedy=remedy,
                code="model_not_found",
            )
        preprocessor = folder / "preprocessor_config.json"
        return cls(folder, config, _read(preprocessor) if preprocessor.is_file() else {}, safe)

    def digest(self) -> str:
        """Of the weights, hexadecimal; takes about a second a gigabyte."""
        digest = hashlib.sha256()
        pattern = "model*.safetensors" if self.safetensors else "pytorch_model*.bin"
        for path in sorted(self.folder.glob(pattern)):
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()[:_DIGEST_LENGTH]


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_JSON_BYTES:
            raise ValueError("it is too large")
        value = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        raise BadInput(
            f"{path} is no JSON: {error}.",
            remedy="Download the model again.",
            code="model_damaged",
        ) from None
    if not isinstance(value, dict):
        raise BadInput(f"{path} is no JSON object.", code="model_damaged")
    return value

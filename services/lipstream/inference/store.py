"""Where trained models lie: a folder in Triton's layout, `<name>/<version>/model.onnx`.

The repository carries the project's own weights in `model_repository/`, which is the default. Other
weights, or an installed package without the repository beside it, are pointed to by the setting
`LIPSTREAM_MODELS`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from lipstream.errors import NotFound

__all__ = ["MODELS_VARIABLE", "ModelStore"]

MODELS_VARIABLE = "LIPSTREAM_MODELS"
_REPOSITORY = Path(__file__).resolve().parents[3] / "model_repository"


@dataclass(frozen=True, slots=True)
class ModelStore:
    """A folder of models."""

    root: Path

    @classmethod
    def default(cls) -> ModelStore:
        """The folder that `LIPSTREAM_MODELS` names, else the repository's own."""
        configured = os.environ.get(MODELS_VARIABLE, "")
        return cls(Path(configured) if configured else _REPOSITORY)

    def onnx_path(self, name: str, version: int = 1) -> Path:
        """The ONNX file of a model.

        Raises:
            NotFound: it is not there.
        """
        path = self.root / name / str(version) / "model.onnx"
        if not path.is_file():
            raise NotFound(
                f"The model {name} (version {version}) is not in {self.root}.",
                remedy=f"Point {MODELS_VARIABLE} to a folder that holds {name}/1/model.onnx, "
                "such as model_repository/ of the source tree.",
                code="model_not_found",
            )
        return path

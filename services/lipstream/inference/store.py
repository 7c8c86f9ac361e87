"""Where trained models come from; the one place that decides how they run.

`LIPSTREAM_MODELS` is either a folder in Triton's layout, `<name>/<version>/model.onnx`, whose
models run in this process, or `triton://host:port`, a Triton server that runs them. The repository
carries the project's own weights in `model_repository/`, which is the default.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lipstream.errors import BadInput, NotFound
from lipstream.inference.onnx_model import ModelRunner, OnnxModel
from lipstream.inference.triton_model import TritonModel
from lipstream.inference.watched_model import WatchedModel

__all__ = ["MODELS_VARIABLE", "ModelStore"]

MODELS_VARIABLE = "LIPSTREAM_MODELS"
_REPOSITORY = Path(__file__).resolve().parents[3] / "model_repository"
_TRITON_SCHEME = "triton://"
_TRITON_PORT = 8001


@dataclass(frozen=True, slots=True)
class ModelStore:
    """A folder of models, and perhaps a server that runs them."""

    root: Path
    server: str = ""
    """host:port of a Triton server's gRPC side; empty where models run in this process."""

    @classmethod
    def default(cls) -> ModelStore:
        """What `LIPSTREAM_MODELS` names, else the repository's own folder.

        Raises:
            BadInput: it names a server in a way that cannot be read.
        """
        configured = os.environ.get(MODELS_VARIABLE, "")
        return cls.at(configured) if configured else cls.bundled()

    @classmethod
    def bundled(cls) -> ModelStore:
        """The repository's own folder."""
        return cls(_REPOSITORY)

    @classmethod
    def at(cls, place: str) -> ModelStore:
        """The store at a folder or a `triton://` URL.

        Raises:
            BadInput: the URL names no server.
        """
        if place.startswith(_TRITON_SCHEME):
            return cls(_REPOSITORY, _server_of(place))
        return cls(Path(place))

    def open(self, name: str) -> ModelRunner:
        """A model, ready to run.

        Raises:
            NotFound: the folder or the server does not have it.
            Internal: it is damaged.
            Unavailable: the server does not answer.
        """
        if self.server:
            return WatchedModel(name, TritonModel(self.server, name))
        return WatchedModel(name, OnnxModel(self.onnx_path(name)))

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


def _server_of(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or _TRITON_PORT
        extra = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    except ValueError:
        host, port, extra = None, 0, ""
    if not host or extra:
        raise BadInput(
            f"{MODELS_VARIABLE} is {url!r}, which names no Triton server.",
            remedy="Write triton://host:port, with the port of its gRPC side, usually 8001.",
        )
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

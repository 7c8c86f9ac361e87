"""Which speech encoder features come from: what a motion model was trained on, and what it gets.

Features of another encoder have other meanings at the same places. A motion model that got them
would move the mouth, wrongly, and nothing would fail; so features and models say where they belong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from lipstream.errors import BadInput

__all__ = ["EncoderIdentity"]

_OWN = "own"
_WRITTEN = re.compile(r"([a-z0-9]{1,32})/([0-9]{1,6})/([0-9a-f]{0,64})(?:/([0-9]{1,4}))?")


@dataclass(frozen=True, slots=True)
class EncoderIdentity:
    kind: str
    """`own`, or the family of a pretrained one, such as `hubert`."""
    width: int
    """D, numbers in a row of features."""
    digest: str = ""
    """Of the weights, hexadecimal; empty where it is not known, and then not compared."""
    layer: int | None = None
    """Whose output the features are; None for the last."""

    @classmethod
    def own(cls, width: int, digest: str = "") -> Self:
        """The project's own encoder."""
        return cls(_OWN, width, digest)

    def __str__(self) -> str:
        layer = "" if self.layer is None else f", layer {self.layer}"
        weights = f", weights {self.digest}" if self.digest else ""
        return f"{self.kind} ({self.width} wide{layer}{weights})"

    def encode(self) -> str:
        """On one line, for the metadata of a model and the objects of a job."""
        layer = "" if self.layer is None else f"/{self.layer}"
        return f"{self.kind}/{self.width}/{self.digest}{layer}"

    @classmethod
    def decode(cls, text: str) -> Self:
        """Inverse of `encode`.

        Raises:
            BadInput: this is no such line.
        """
        found = _WRITTEN.fullmatch(text.strip())
        if found is None:
            raise BadInput(f"{text[:60]!r} does not name a speech encoder.")
        kind, width, digest, layer = found.groups()
        return cls(kind, int(width), digest, None if layer is None else int(layer))

    def require(self, found: EncoderIdentity) -> None:
        """Check features against what a model, which this is the encoder of, was trained on.

        Raises:
            BadInput: they come from another encoder, or from other weights of it.
        """
        same = (self.kind, self.width, self.layer) == (found.kind, found.width, found.layer)
        if same and (self.digest == found.digest or not (self.digest and found.digest)):
            return
        choice = _OWN if self.kind == _OWN else f"{self.kind}:PATH"
        raise BadInput(
            f"The motion model was trained on features of the speech encoder {self}; these come "
            f"from {found}.",
            remedy=f"Choose that encoder (LIPSTREAM_ENCODER or --encoder {choice}), or a motion "
            "model that was trained on this one (lipstream train motion --encoder).",
            code="encoder_mismatch",
        )

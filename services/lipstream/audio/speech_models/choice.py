"""Which speech encoder: one value of configuration, the same for training and serving.

`own`, or `hubert:PATH`, `wav2vec2:PATH`, `whisper:PATH` with the folder of the weights. Options
follow a question mark: `hubert:/models/hubert-base?layer=9&left_s=4&chunk_ms=80&look_ahead_ms=80`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lipstream.audio.speech_models.window import StreamWindow
from lipstream.errors import BadInput
from lipstream.runtime.written_choice import WrittenChoice

__all__ = ["KINDS", "EncoderChoice"]

KINDS = ("hubert", "wav2vec2", "whisper")
_OWN = "own"
_OPTIONS = ("layer", "left_s", "chunk_ms", "look_ahead_ms", "device")


@dataclass(frozen=True, slots=True)
class EncoderChoice:
    """A configured encoder.

    Attributes:
        kind: `own`, `hubert`, `wav2vec2` or `whisper`.
        path: folder of the weights; None for `own`.
        layer: transformer layer whose output is taken, 0 the input of the first; None the last.
        window: what a stream's features may depend on.
        device: `cpu`, `cuda`, or `auto` for a GPU where there is one.
    """

    kind: str = _OWN
    path: Path | None = None
    layer: int | None = None
    window: StreamWindow = field(default_factory=StreamWindow)
    device: str = "auto"

    @classmethod
    def parse(cls, text: str) -> EncoderChoice:
        """From its written form.

        Raises:
            BadInput: it is none; the message says what is.
        """
        if text.strip() in ("", _OWN):
            return cls()
        written = WrittenChoice.parse(text)
        kind, _, place = written.name.partition(":")
        if kind not in KINDS or not place:
            raise BadInput(
                f"{text!r} is no speech encoder.",
                remedy="Write own, or hubert:PATH, wav2vec2:PATH, whisper:PATH with the folder "
                "of the weights.",
                code="unknown_encoder",
            )
        written.allow("A speech encoder", _OPTIONS, code="unknown_encoder")
        default = StreamWindow()
        window = StreamWindow(
            left_s=written.number("left_s", default.left_s),
            chunk_ms=round(written.number("chunk_ms", default.chunk_ms)),
            look_ahead_ms=round(written.number("look_ahead_ms", default.look_ahead_ms)),
        )
        layer = round(written.number("layer", 0)) if "layer" in written.options else None
        device = written.word("device", ("auto", "cpu", "cuda"))
        return cls(kind, Path(place).expanduser(), layer, window, device)

    def __str__(self) -> str:
        if self.path is None:
            return self.kind
        window = self.window
        options = (
            f"left_s={window.left_s:g}&chunk_ms={window.chunk_ms}"
            f"&look_ahead_ms={window.look_ahead_ms}"
        )
        layer = "" if self.layer is None else f"layer={self.layer}&"
        return f"{self.kind}:{self.path}?{layer}{options}&device={self.device}"

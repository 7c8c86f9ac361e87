"""Real speech: LibriSpeech recordings, aligned with their transcripts.

LibriSpeech (V. Panayotov et al., 2015; CC BY 4.0) comes as FLAC files named
`<speaker>-<chapter>-<number>.flac`. Speakers of its `test-*` and `dev-*` parts are for evaluation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lipstream.errors import NotFound

__all__ = ["Recording", "recordings"]


@dataclass(frozen=True, slots=True)
class Recording:
    path: Path
    text: str
    speaker: str

    @property
    def name(self) -> str:
        return self.path.stem


def recordings(speech: Path, part: str) -> Iterator[Recording]:
    """Recordings of one part (`train-clean-100`, `test-other`, ...) that have a transcript.

    Args:
        speech: folder that holds `librispeech*/<part>/*.flac` and, anywhere below, `*.tsv`
            transcripts of lines `id TAB text`.

    Raises:
        NotFound: the part is not there.
    """
    texts = {}
    for path in sorted(speech.rglob("*.tsv")):
        for line in path.read_text("utf-8").splitlines():
            name, _, text = line.partition("\t")
            texts[name] = text
    paths = sorted(speech.glob(f"librispeech*/{part}/*.flac"))
    if not paths:
        raise NotFound(
            f"No LibriSpeech recordings of {part} lie in {speech}.",
            remedy=f"Put them at {speech}/librispeech/{part}/*.flac.",
        )
    for path in paths:
        if path.stem in texts:
            speaker = path.stem.partition("-")[0]
            yield Recording(path, texts[path.stem], f"librispeech/{speaker}")

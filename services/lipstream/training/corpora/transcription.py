"""Speech without a transcript: what pocketsphinx hears, as a text to align it with.

It mishears about one word in four of read English, though a misheard word often sounds like what
was said. Against labels from the true text (LibriSpeech test-other) 86 % of the time is given to
the same family of sounds, but only half of the lip closures are found, and six in ten of those
found are true. So this serves speech that has no transcript; where there is one, use it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lipstream.errors import BadInput, NotFound
from lipstream.face.motion import Floats
from lipstream.training.corpora.clip_audio import AUDIO_SUFFIXES
from lipstream.training.corpora.librispeech import Recording

__all__ = ["Transcriber", "untranscribed"]


class Transcriber:
    """Recognises English words with the model that pocketsphinx brings.

    Raises:
        NotFound: pocketsphinx is not installed.
    """

    def __init__(self) -> None:
        try:
            import pocketsphinx
        except ImportError as error:
            raise NotFound(
                "pocketsphinx is not installed, and hearing what is said needs it.",
                remedy="Install it with `pip install 'lipstream[train]'`.",
            ) from error
        model = Path(pocketsphinx.__file__).parent / "model" / "en-us"
        self._decoder: Any = pocketsphinx.Decoder(
            hmm=str(model / "en-us"),
            lm=str(model / "en-us.lm.bin"),
            dict=str(model / "cmudict-en-us.dict"),
            loglevel="FATAL",
        )

    def text(self, samples: Floats) -> str:
        """What is said.

        Args:
            samples: `# [S]` at 16 kHz.

        Raises:
            BadInput: no word was heard.
        """
        peak = max(float(np.abs(samples).max(initial=0)), 1e-6)
        raw = (samples * (0.9 * 32767 / peak)).astype(np.int16).tobytes()
        self._decoder.start_utt()
        self._decoder.process_raw(raw, full_utt=True)
        self._decoder.end_utt()
        heard = self._decoder.hyp()
        if heard is None or not heard.hypstr.strip():
            raise BadInput("No word was heard in the speech.")
        return str(heard.hypstr)


def untranscribed(folder: Path) -> Iterator[Recording]:
    """Every audio file of a folder and those below, by name; a file's folder is its speaker.

    Raises:
        NotFound: there are none.
    """
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in AUDIO_SUFFIXES]
    if not paths:
        raise NotFound(f"No audio lies in {folder}.", remedy="Check the path.")
    for path in paths:
        yield Recording(path, "", path.parent.name)

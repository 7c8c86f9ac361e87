"""Speech from Kokoro-82M (hexgrad; Apache-2.0), whose voices can be blended into new ones.

It is needed only to build this corpus: the user points at its ONNX file (`kokoro-v1.0*.onnx`) and,
beside it, its voices (`voices/*.bin`). Text becomes phonemes by Debian's `espeak-ng`, in the
alphabet that Kokoro was trained on: IPA with one letter for each diphthong and affricate, without
length in American.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lipstream.errors import BadInput, NotFound
from lipstream.face.motion import Floats

if TYPE_CHECKING:
    import onnxruntime

__all__ = ["ACCENTS", "SAMPLE_RATE_HZ", "Kokoro", "blended", "phonemes"]

ACCENTS = ("en-us", "en-gb")
SAMPLE_RATE_HZ = 24_000

_STYLE = 256
"""Numbers in a style: how the voice sounds, then how it speaks."""
_LETTERS = (
    *(("eɪ", "A"), ("oʊ", "O"), ("əʊ", "Q"), ("aɪ", "I"), ("aʊ", "W"), ("ɔɪ", "Y")),
    *(("dʒ", "ʤ"), ("tʃ", "ʧ"), ("r", "ɹ"), ("ɐ", "ə"), ("ɚ", "əɹ")),
)
_AMERICAN = (("ɜː", "ɜɹ"), ("ɜɹɹ", "ɜɹ"), ("əɹɹ", "əɹ"), ("ɾ", "T"), ("ː", ""))
_SYMBOLS = {
    # of the model's vocabulary, those that English needs
    **{";": 1, ":": 2, ",": 3, ".": 4, "!": 5, "?": 6, " ": 16},
    **{"A": 24, "I": 25, "O": 31, "Q": 33, "T": 36, "W": 39, "Y": 41, "ᵊ": 42, "a": 43, "b": 44},
    **{"d": 46, "e": 47, "f": 48, "h": 50, "i": 51, "j": 52, "k": 53, "l": 54, "m": 55, "n": 56},
    **{"o": 57, "p": 58, "s": 61, "t": 62, "u": 63, "v": 64, "w": 65, "x": 66, "z": 68, "ɑ": 69},
    **{"ɒ": 71, "æ": 72, "ɔ": 76, "ð": 81, "ʤ": 82, "ə": 83, "ɛ": 86, "ɜ": 87, "ɡ": 92, "ɪ": 102},
    **{"ŋ": 112, "θ": 119, "ɹ": 123, "ɾ": 125, "ʃ": 131, "ʧ": 133, "ʊ": 135, "ʌ": 138, "ʒ": 147},
    **{"ʔ": 148, "ˈ": 156, "ˌ": 157, "ː": 158, "ᵻ": 177},
}
_EDGE = 0
"""Symbol before and after every sentence."""


class Kokoro:
    """The synthesiser; not for use by several threads.

    Args:
        folder: holds one `*.onnx` and `voices/*.bin`.

    Raises:
        NotFound: one of these is missing.
        BadInput: a voice has another form.
    """

    def __init__(self, folder: Path) -> None:
        import onnxruntime

        models = sorted(folder.glob("*.onnx"))
        if not models:
            raise NotFound(
                f"No model of Kokoro lies in {folder}.",
                remedy="Put kokoro-v1.0.onnx (or its int8 form) there, and voices/*.bin.",
            )
        self.voices = {path.stem: _voice(path) for path in sorted(folder.glob("voices/*.bin"))}
        if not self.voices:
            raise NotFound(f"No voices of Kokoro lie in {folder}/voices.")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session: onnxruntime.InferenceSession = onnxruntime.InferenceSession(
            str(models[0]), options, providers=["CPUExecutionProvider"]
        )

    def speak(self, text: str, voice: Floats, accent: str, *, speed: float = 1.0) -> Floats:
        """Speak plain English. `# [S]` at 24 kHz

        Args:
            text: what to say; at most some forty words.
            voice: styles by the number of symbols, `# [N, 256]`; blends of `voices` are voices.
            accent: one of `ACCENTS`.
            speed: factor on the rate of speech.

        Raises:
            BadInput: the text is too long.
            NotFound: espeak-ng is not installed.
        """
        symbols = [_SYMBOLS[letter] for letter in phonemes(text, accent) if letter in _SYMBOLS]
        if len(symbols) >= len(voice):
            raise BadInput(f"Kokoro says at most {len(voice) - 1} phonemes at a time.")
        inputs = {
            "tokens": np.array([[_EDGE, *symbols, _EDGE]], np.int64),
            "style": voice[len(symbols)][None],
            "speed": np.array([speed], np.float32),
        }
        samples = self._session.run(None, inputs)[0]
        return np.asarray(samples, np.float32).reshape(-1)


def blended(first: Floats, second: Floats, sound: float, manner: float) -> Floats:
    """A voice between two, all `# [N, 256]`.

    Args:
        sound: share of the second in how it sounds.
        manner: share of the second in how it speaks: melody and rhythm.
    """
    half = _STYLE // 2
    share = np.repeat(np.array([sound, manner], np.float32), half)
    mixed: Floats = first + share * (second - first)
    return mixed


def phonemes(text: str, accent: str) -> str:
    """What Kokoro is to say.

    Raises:
        NotFound: espeak-ng is not installed.
    """
    command = ["espeak-ng", "-q", "--ipa", "-v", accent, "--", text]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NotFound(
            "espeak-ng does not answer.", remedy="Install Debian's package espeak-ng."
        ) from error
    spelt = " ".join(done.stdout.split())
    american = accent == "en-us"
    for old, new in (*_LETTERS, *(_AMERICAN if american else ())):
        spelt = spelt.replace(old, new)
    return spelt


def _voice(path: Path) -> Floats:  # [N, 256]
    numbers = np.fromfile(path, np.float32)
    if not numbers.size or numbers.size % _STYLE or not np.isfinite(numbers).all():
        raise BadInput(f"{path} holds no voice of Kokoro.")
    return numbers.reshape(-1, _STYLE)

"""Speech from Festival Lite (flite), whose voices were built from recordings of real people.

The library (Debian package `flite`) is loaded through ctypes. It is needed only to build this
corpus. Its segment ends include the closures of stops.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from ctypes import POINTER, c_char_p, c_float, c_int, c_short, c_void_p
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lipstream.errors import NotFound
from lipstream.face.motion import Floats

__all__ = ["VOICES", "Flite", "FliteSpeech"]

VOICES = ("cmu_us_awb", "cmu_us_rms", "cmu_us_slt", "cmu_us_kal16")
_FOLDERS = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/usr/local/lib")


class _Wave(ctypes.Structure):
    _fields_ = (
        ("type", c_char_p),
        ("sample_rate", c_int),
        ("sample_count", c_int),
        ("channel_count", c_int),
        ("samples", POINTER(c_short)),
    )


class _Voice(ctypes.Structure):
    _fields_ = (("name", c_char_p), ("features", c_void_p))


@dataclass(frozen=True, slots=True)
class FliteSpeech:
    samples: Floats  # [S] in [-1, 1]
    sample_rate_hz: int
    labels: tuple[tuple[float, float, str], ...]
    """start_s, end_s, phone in lower-case ARPABET"""


def _load(name: str) -> ctypes.CDLL:
    for folder in _FOLDERS:
        path = Path(folder) / f"{name}.so.1"
        if path.exists():
            return ctypes.CDLL(str(path), ctypes.RTLD_GLOBAL)
    raise NotFound(
        f"{name}.so.1 is not on this machine.", remedy="Install flite (Debian: apt install flite)."
    )


class Flite:
    """One instance of the synthesiser; not for use by several threads.

    Raises:
        NotFound: the library is not installed.
    """

    def __init__(self) -> None:
        self._library = library = _load("libflite")
        for dependency in ("libflite_usenglish", "libflite_cmulex"):
            _load(dependency)
        library.flite_init()
        self._voices: dict[str, int] = {}
        for name in VOICES:
            register = getattr(_load(f"libflite_{name}"), f"register_{name}")
            register.restype, register.argtypes = c_void_p, [c_void_p]
            self._voices[name] = register(None)
        for name, result, arguments in (
            ("flite_synth_text", c_void_p, [c_char_p, c_void_p]),
            ("utt_wave", POINTER(_Wave), [c_void_p]),
            ("utt_relation", c_void_p, [c_void_p, c_char_p]),
            ("relation_head", c_void_p, [c_void_p]),
            ("item_next", c_void_p, [c_void_p]),
            ("item_feat_string", c_char_p, [c_void_p, c_char_p]),
            ("item_feat_float", c_float, [c_void_p, c_char_p]),
            ("delete_utterance", None, [c_void_p]),
            ("feat_set_float", None, [c_void_p, c_char_p, c_float]),
        ):
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments

    def speak(self, text: str, voice: str, *, stretch: float = 1.0) -> FliteSpeech:
        """Speak plain English.

        Args:
            text: what to say; characters outside ASCII are left out.
            voice: one of `VOICES`.
            stretch: factor on all durations.
        """
        library, handle = self._library, self._voices[voice]
        features = ctypes.cast(handle, POINTER(_Voice)).contents.features
        library.feat_set_float(features, b"duration_stretch", stretch)
        utterance = library.flite_synth_text(text.encode("ascii", "ignore"), handle)
        try:
            wave = library.utt_wave(utterance).contents
            pcm = np.ctypeslib.as_array(wave.samples, (wave.sample_count,))
            samples = pcm.astype(np.float32) / 32768
            labels = []
            start_s = 0.0
            item = library.relation_head(library.utt_relation(utterance, b"Segment"))
            while item:
                end_s = library.item_feat_float(item, b"end")
                labels.append((start_s, end_s, library.item_feat_string(item, b"name").decode()))
                start_s = end_s
                item = library.item_next(item)
            return FliteSpeech(samples, wave.sample_rate, tuple(labels))
        finally:
            library.delete_utterance(utterance)

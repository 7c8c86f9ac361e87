"""Judge a network in training on held-out real speech, and calibrate its events there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from lipstream.audio.mel import log_mel
from lipstream.evaluation.lip_track import LipTrack
from lipstream.evaluation.lips import LipScore, Scored, score
from lipstream.evaluation.utterance import Utterance
from lipstream.face.motion import Floats
from lipstream.motion.articulation import articulate
from lipstream.motion.controls import CONTROL_COUNT, EVENTS, Control
from lipstream.motion.events import frames_before, sharpened
from lipstream.training.encoder_model import SpeechEncoderModel
from lipstream.training.examples import MEL_PER_FRAME
from lipstream.training.motion_model import LOOK_AHEADS_MS, MotionModel

__all__ = [
    "NO_EVENT",
    "DevSpeech",
    "calibrate_events",
    "calibrate_gains",
    "decide",
    "dev_speech",
    "objective",
    "predict",
    "validated",
]

NO_EVENT = -20.0
"""Logit of an event that nothing speaks for."""
_BIASES = np.arange(-3.5, 3.01, 0.1)
_MOST_CLOSED_ELSEWHERE = 0.018
_MOST_CLOSED_VOWELS = 0.04
_MOST_CLOSED_CONSONANTS = 0.05
_MOST_TUCKED_ELSEWHERE = 0.03
_MOST_TONGUE_ELSEWHERE = 0.03
_LARGEST_GAIN = 1.35


@dataclass(frozen=True, slots=True)
class DevSpeech:
    """One held-out utterance."""

    mel: Floats  # [T, 80]
    controls: Floats  # [T, 10]
    reference: LipTrack
    utterance: Utterance


def dev_speech(utterances: Sequence[Utterance]) -> list[DevSpeech]:
    """Utterances with their features and the mouth that their labels derive."""
    speech = []
    for utterance in utterances:
        samples = utterance.waveform
        controls = articulate(utterance.segments, utterance.duration_s, samples=samples)
        reference = LipTrack.from_controls(controls)
        speech.append(DevSpeech(log_mel(samples), controls, reference, utterance))
    return speech


def predict(
    encoder: SpeechEncoderModel, motion: MotionModel, speech: Sequence[DevSpeech]
) -> list[Floats]:
    """Raw outputs `# [T, 4 look-aheads, 10]` of each utterance, events as logits, delays undone."""
    encoder.eval()
    motion.eval()
    outputs = []
    with torch.no_grad():
        for item in speech:
            count = len(item.mel) // MEL_PER_FRAME
            tail = np.full((len(LOOK_AHEADS_MS) * MEL_PER_FRAME, item.mel.shape[1]), item.mel.min())
            heard = np.concatenate([item.mel[: count * MEL_PER_FRAME], tail])
            mel = torch.from_numpy(heard.astype(np.float32))[None]
            features, _ = encoder(mel, encoder.initial_state(1))
            raw = motion.predict(features, motion.initial_state(1))[0][0].numpy()
            frames = [raw[delay : delay + count, delay] for delay in range(len(LOOK_AHEADS_MS))]
            outputs.append(np.stack(frames, axis=1))
    return outputs


def decide(outputs: Floats, delay: int, bias: Floats, gain: Floats) -> Floats:
    """Controls `# [T, 10]` of one look-ahead from raw outputs `# [T, 4 look-aheads, 10]`.

    Args:
        bias: of the events' logits. `# [10]`
        gain: of the other controls. `# [10]`
    """
    raw, events = outputs[:, delay], list(EVENTS)
    controls = np.clip(raw * gain, 0, 1)
    controls[:, events] = _chance(raw[:, events] + bias[events])
    coming = np.full((len(raw), len(EVENTS)), NO_EVENT, np.float32)
    if delay:
        coming[:-1] = outputs[1:, delay - 1, events]
    before = frames_before(controls, np.zeros(CONTROL_COUNT, np.float32))
    return sharpened(controls, before, _chance(coming + bias[events]))


def _chance(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


def calibrate_gains(outputs: Sequence[Floats], speech: Sequence[DevSpeech]) -> Floats:
    """Gains `# [4, 10]` that give each control the power of the labels' mouth, within bounds."""
    wanted = np.sqrt(np.mean(np.concatenate([s.controls for s in speech]) ** 2, axis=0))
    shown = np.sqrt(np.mean(np.concatenate(list(outputs)) ** 2, axis=0))
    gains = np.clip(wanted / np.maximum(shown, 1e-6), 1.0, _LARGEST_GAIN)
    gains[:, list(EVENTS)] = 1
    return np.asarray(gains, np.float32)


def calibrate_events(
    outputs: Sequence[Floats],
    speech: Sequence[DevSpeech],
    delays: Sequence[int],
    gains: Floats,  # [4, 10]
) -> Floats:
    """Biases `# [4, 10]` of the events' logits; those of other delays stay 0.

    Each happens as readily as it can without happening where it must not.
    """
    biases = np.zeros((len(LOOK_AHEADS_MS), CONTROL_COUNT), np.float32)
    for delay in delays:
        rising = set(EVENTS)
        for value in _BIASES:
            trial = biases[delay].copy()
            trial[list(rising)] = value
            rising &= _in_place(validated(outputs, speech, delay, trial, gains[delay]))
            if not rising:
                break
            biases[delay, list(rising)] = value
    return biases


def _in_place(result: LipScore) -> set[Control]:
    """Events that hardly happen where they must not."""
    right = {
        Control.CLOSE: result.closed_elsewhere <= _MOST_CLOSED_ELSEWHERE
        and result.closed_on_open_vowels <= _MOST_CLOSED_VOWELS
        and result.closed_on_other_consonants <= _MOST_CLOSED_CONSONANTS,
        Control.TUCK: result.tucked_elsewhere <= _MOST_TUCKED_ELSEWHERE,
        Control.TONGUE: result.tongue_elsewhere <= _MOST_TONGUE_ELSEWHERE,
    }
    return {event for event, holds in right.items() if holds}


def validated(
    outputs: Sequence[Floats],
    speech: Sequence[DevSpeech],
    delay: int,
    bias: Floats,  # [10]
    gain: Floats,  # [10]
) -> LipScore:
    """Score one look-ahead under the given calibration."""
    return score(
        Scored(
            LipTrack.from_controls(decide(raw, delay, bias, gain)),
            item.reference,
            item.utterance.segments,
        )
        for raw, item in zip(outputs, speech, strict=True)
    )


def objective(result: LipScore) -> float:
    """One number to stop training by: what viewers see first counts most."""
    reached = (
        2 * result.pbm_closed
        + result.fv_tucked
        + result.rounding_r
        + result.aperture_r
        - 4 * result.closed_elsewhere
        - 2 * result.closed_on_open_vowels
    )
    return reached if math.isfinite(reached) else 0.0

"""What a frame of motion costs, from audio on: one session, many, and after an hour; on Triton too.

`python -m loadtests.motion [--json FILE] [--generator NAME] [--minutes M]`

In process, everything is kept on one core. On Triton, the sessions call it each for themselves, as
the stages do, and may use all cores, the server's included.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from lipstream.audio import resample, synthesize
from lipstream.audio.encoder import SpeechEncoder
from lipstream.audio.pcm import SAMPLE_RATE_HZ, Samples
from lipstream.errors import Unavailable
from lipstream.motion import DEFAULT_GENERATOR, GENERATORS, open_generator
from loadtests.cores import one_core
from loadtests.manifest import Figure, Manifest, Value, peak_rss_mb
from loadtests.sessions import FRAME_SAMPLES, Models, Sessions
from loadtests.triton import executions, models_on_triton

MANY = 32
_FPS = 25
_FRAMES = 500
_ROUNDS = 200
_STARTS = 50
_STRIDE_S = 4
"""Of audio in one step on the way to the last minute."""
_TEXT = (
    "Bob put a maple table by the map, and Mary baked a pumpkin pie. "
    "We have five views of the moon over the blue pool. "
    "The quick brown fox jumps over the lazy dog."
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.motion", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--generator", choices=GENERATORS, default=DEFAULT_GENERATOR)
    parser.add_argument("--minutes", type=int, default=60, help="length of the long session")
    arguments = parser.parse_args()
    name, minutes = arguments.generator, arguments.minutes
    speech = _speech()
    models = Models(SpeechEncoder(), open_generator(name), speech)
    with one_core():
        figures = _in_process(models, minutes)
    figures += _on_triton(name, speech)
    settings: dict[str, Value] = {
        "generator": name,
        "look_ahead_ms": models.generator.look_ahead_ms,
        "long_session_minutes": minutes,
        "cores_in_process": 1,
        "cores_with_triton": os.cpu_count(),
    }
    Manifest("motion", settings).publish(figures, arguments.json)


def _in_process(models: Models, minutes: int) -> list[Figure]:
    cold_ms = Sessions.first_frame_ms(models)
    starts_ms = [Sessions.first_frame_ms(models) for _ in range(_STARTS)]
    begin_s = time.process_time()
    one = _frames_ms(Sessions(models, 1), _FRAMES)
    middle_s = time.process_time()
    many = _frames_ms(Sessions(models, MANY), _FRAMES // 2)
    end_s = time.process_time()
    alone = Sessions(models, 1)
    first_minute = _frames_ms(alone, 60 * _FPS)
    alone.advance(_STRIDE_S * SAMPLE_RATE_HZ)
    rss_mb = peak_rss_mb()
    for _ in range((minutes - 2) * 60 // _STRIDE_S):
        alone.advance(_STRIDE_S * SAMPLE_RATE_HZ)
    last_minute = _frames_ms(alone, 60 * _FPS)
    return [
        Figure("frame_ms_1_session", _median(one), goal="<= 5"),
        Figure("frame_ms_1_session_p95", _p95(one)),
        Figure("frame_cpu_ms_1_session", 1e3 * (middle_s - begin_s) / len(one)),
        Figure(f"frame_ms_{MANY}_sessions", _median(many), goal="<= 12"),
        Figure(f"frame_ms_{MANY}_sessions_p95", _p95(many)),
        Figure(f"frame_cpu_ms_{MANY}_sessions", 1e3 * (end_s - middle_s) / len(many)),
        Figure("first_frame_compute_ms", _median(starts_ms), goal="<= 25"),
        Figure("first_frame_compute_cold_ms", cold_ms, "cold"),
        Figure("frame_ms_minute_1", _median(first_minute)),
        Figure(f"frame_ms_minute_{minutes}", _median(last_minute), goal="as minute 1"),
        Figure("rss_growth_mb", peak_rss_mb() - rss_mb, goal="0"),
    ]


def _on_triton(generator: str, speech: Samples) -> list[Figure]:
    one = many = joined = calls = None
    try:
        with models_on_triton() as ports:
            models = Models(SpeechEncoder(), open_generator(generator), speech)
            one = _median(_frames_ms(Sessions(models, 1), _ROUNDS))
            joined = _median(_frames_ms(Sessions(models, MANY), _ROUNDS))
            before = executions(ports)
            many = _median(_rounds_ms(models))
            calls = MANY * 2 * _ROUNDS / (executions(ports) - before)
    except Unavailable as error:
        print(f"Without Triton: {error}")
    return [
        Figure("triton_frame_ms_1_session", one),
        Figure(f"triton_frame_ms_{MANY}_sessions", many),
        Figure(f"triton_joined_frame_ms_{MANY}_sessions", joined),
        Figure("triton_calls_per_execution", calls, goal=f"up to {MANY}"),
    ]


def _frames_ms(sessions: Sessions, count: int) -> list[float]:
    """Each of the next frames of all these sessions together."""
    return [_timed_ms(sessions.advance) for _ in range(count)]


def _rounds_ms(models: Models) -> list[float]:
    """From the same moment on, every session makes its next frame; until the last has it."""
    crowd = [Sessions(models, 1, number) for number in range(MANY)]
    with ThreadPoolExecutor(MANY) as pool:
        return [_timed_ms(lambda: list(pool.map(Sessions.advance, crowd))) for _ in range(_ROUNDS)]


def _timed_ms(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - begin)


def _speech() -> Samples:  # [S] whole frames
    speech = synthesize(_TEXT)
    samples = resample(speech.samples, speech.rate_hz, SAMPLE_RATE_HZ)
    return samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES]


def _median(values: list[float]) -> float:
    return float(np.median(values))


def _p95(values: list[float]) -> float:
    return float(np.percentile(values, 95))


if __name__ == "__main__":
    main()

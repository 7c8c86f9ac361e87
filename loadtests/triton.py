"""What Triton's dynamic batching saves: sessions that ask at once, one by one or together.

`python -m loadtests.triton [--json FILE] [--rounds R]`

A real tritonserver of this machine, on the repository's models. In each round every session hears
the next 40 ms and asks for its frame by itself, from a thread of its own, as stages do; Triton
joins what comes at once. The server's CPU time for a frame depends little on what else the machine
does.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from lipstream.audio.encoder import SpeechEncoder
from lipstream.audio.pcm import SAMPLE_RATE_HZ
from lipstream.inference import MODELS_VARIABLE, ModelStore
from lipstream.inference.triton_server import TritonPorts, remove_leftovers, triton_component
from lipstream.motion import DEFAULT_GENERATOR, open_generator
from lipstream.runtime.local_stack import free_ports
from lipstream.runtime.supervisor import Supervisor
from loadtests.manifest import Figure, Manifest
from loadtests.sessions import Models, Sessions

__all__ = ["executions", "models_on_triton"]

_CROWDS = (1, 8, 32)
_WARM_UP_ROUNDS = 5
_SPEECH_S = 10


@dataclass(frozen=True, slots=True)
class _Crowd:
    """What so many sessions took; a call is one request for one model."""

    count: int
    calls_per_batch: float
    cpu_ms_per_frame: float
    """Of the server, all its processes."""
    round_p50_ms: float
    """From all asking to the last having its frame."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.triton", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments = parser.parse_args()
    with models_on_triton() as ports:
        rng = np.random.default_rng(0)
        speech = rng.normal(0, 0.1, _SPEECH_S * SAMPLE_RATE_HZ).astype(np.float32)
        models = Models(SpeechEncoder(), open_generator(DEFAULT_GENERATOR), speech)
        crowds = [_crowd(models, count, arguments.rounds, ports) for count in _CROWDS]
    figures = []
    for crowd in crowds:
        name = f"{crowd.count}_sessions"
        figures += [
            Figure(f"calls_per_batch_{name}", crowd.calls_per_batch),
            Figure(f"server_cpu_ms_per_frame_{name}", crowd.cpu_ms_per_frame),
            Figure(f"round_p50_ms_{name}", crowd.round_p50_ms),
        ]
    saved = 1 - crowds[-1].cpu_ms_per_frame / crowds[0].cpu_ms_per_frame
    figures.append(Figure("cpu_saved_by_batching", saved, goal="> 0"))
    settings = {"generator": DEFAULT_GENERATOR, "rounds": arguments.rounds}
    Manifest("triton", settings).publish(figures, arguments.json)


def _crowd(models: Models, count: int, rounds: int, ports: TritonPorts) -> _Crowd:
    sessions = [Sessions(models, 1, number) for number in range(count)]
    times_s = []
    with ThreadPoolExecutor(count) as pool:
        for _ in range(_WARM_UP_ROUNDS):
            list(pool.map(Sessions.advance, sessions))
        calls, batches, cpu_s = _inferences(ports), executions(ports), _server_cpu_s()
        for _ in range(rounds):
            began_s = time.perf_counter()
            list(pool.map(Sessions.advance, sessions))
            times_s.append(time.perf_counter() - began_s)
    return _Crowd(
        count,
        (_inferences(ports) - calls) / (executions(ports) - batches),
        1e3 * (_server_cpu_s() - cpu_s) / (rounds * count),
        1e3 * float(np.median(times_s)),
    )


def _server_cpu_s() -> float:
    """The server and its models are the only children of this process."""
    times = [process.cpu_times() for process in psutil.Process().children(recursive=True)]
    return float(sum(time.user + time.system for time in times))


@contextmanager
def models_on_triton() -> Iterator[TritonPorts]:
    """Within, `ModelStore.default()` is a Triton server.

    Raises:
        Unavailable: there is none on this machine.
    """
    ports = TritonPorts(*free_ports(3))
    before = os.environ.get(MODELS_VARIABLE)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        component = triton_component(ModelStore.bundled().root, ports, folder)
        try:
            with Supervisor([component], folder / "logs"):
                os.environ[MODELS_VARIABLE] = f"triton://127.0.0.1:{ports.grpc}"
                yield ports
        finally:
            os.environ.pop(MODELS_VARIABLE, None)
            if before is not None:
                os.environ[MODELS_VARIABLE] = before
            remove_leftovers(ports)


def executions(ports: TritonPorts) -> int:
    """Batches that all models together have run so far."""
    return _counted(ports, "nv_inference_exec_count")


def _inferences(ports: TritonPorts) -> int:
    """Rows in these batches."""
    return _counted(ports, "nv_inference_count")


def _counted(ports: TritonPorts, metric: str) -> int:
    """A counter of the server, over all models."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{ports.metrics}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    counters = [line for line in lines if line.startswith(f"{metric}{{")]
    return sum(int(float(line.split()[-1])) for line in counters)


if __name__ == "__main__":
    main()

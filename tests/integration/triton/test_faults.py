"""Servers and models that are not there, are killed, and come back."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

from lipstream.audio.encoder import ENCODER_MODEL
from lipstream.errors import Conflict, Internal, NotFound, Unavailable
from lipstream.face.motion import Floats
from lipstream.inference import TritonModel
from lipstream.inference.model_watch import ModelWatch
from lipstream.inference.triton_health import TritonHealth
from lipstream.inference.triton_server import triton_component
from lipstream.motion import service as motion
from lipstream.motion.baseline import MOTION_MODEL
from lipstream.runtime.local_stack import free_ports
from lipstream.v1 import common_pb2, motion_pb2, motion_pb2_grpc
from tests.integration.live.live_call import failure_of
from tests.integration.live.messages import GENERATE
from tests.integration.live.stage_host import StageHost
from tests.integration.triton.triton_process import TritonProcess, stub_of


def _read(url: str) -> str:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as page:
        text: str = page.read().decode()
    return text


def _is_ready(watch: ModelWatch) -> bool:
    return watch.ready


class _Step:
    """One call of the motion model, always the same."""

    def __init__(self, address: str, patience_s: float) -> None:
        self._model = TritonModel(address, MOTION_MODEL, patience_s=patience_s)

    def __call__(self) -> Floats:
        features = np.full((1, 2, self._model.width("features")), 0.1, np.float32)
        state = self._model.constant("initial_state")[None]
        return self._model.run({"features": features, "state": state})["controls"]


def test_requests_that_no_model_takes_are_named(triton: TritonProcess) -> None:
    with pytest.raises(NotFound, match="does not have the model lips") as missing:
        TritonModel(triton.address, "lips")
    assert missing.value.remedy
    model = TritonModel(triton.address, MOTION_MODEL)
    state = model.constant("initial_state")[None]
    with pytest.raises(Internal, match="unexpected shape for input 'features'"):
        model.run({"features": np.zeros((1, 2, 7), np.float32), "state": state})
    encoder = TritonModel(triton.address, ENCODER_MODEL)
    state = encoder.constant("initial_state")[None]
    with pytest.raises(Internal, match="refused a request"):
        encoder.run({"mel": np.zeros((1, 0, 80), np.float32), "state": state})
    encoder.run({"mel": np.zeros((1, 2, 80), np.float32), "state": state})


def test_a_server_that_is_not_there_is_named() -> None:
    (port,) = free_ports(1)
    with pytest.raises(Unavailable, match=f"127.0.0.1:{port} does not answer") as error:
        TritonModel(f"127.0.0.1:{port}", MOTION_MODEL, start_patience_s=0.2)
    assert "LIPSTREAM_MODELS" in error.value.remedy


def test_a_late_answer_is_named(triton: TritonProcess) -> None:
    def ask_until_late() -> None:
        # Now and then an answer is faster than the clock that ends the wait for it.
        for _ in range(100):
            TritonModel(triton.address, MOTION_MODEL, deadline_s=1e-9)

    with pytest.raises(Unavailable, match="did not answer within 1e-09 s"):
        ask_until_late()


def test_a_killed_server_is_named_and_waited_for(
    triton: TritonProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hasty, patient = _Step(triton.address, 0.3), _Step(triton.address, 60)
    watch = ModelWatch(triton.address)
    assert not _is_ready(watch)
    assert watch.look() == []
    assert _is_ready(watch)
    expected = hasty()
    monkeypatch.setenv("LIPSTREAM_MODELS", triton.url)
    with StageHost(tmp_path / "objects") as host:
        stub = motion_pb2_grpc.MotionServiceStub(host.start("motion", motion.build))
        triton.stop(signal.SIGKILL)
        with pytest.raises(Unavailable, match="does not answer"):
            hasty()
        features = common_pb2.Tensor(shape=[4, 128], data=bytes(4 * 128 * 4))
        failure = failure_of(
            stub.Generate, GENERATE(config=motion_pb2.GenerateConfig()), GENERATE(features=features)
        )
        assert failure.code == "models_unavailable"
    assert watch.look() == []
    assert not _is_ready(watch)
    lines = watch.telemetry.exposition().decode().splitlines()
    assert not [line for line in lines if "_model_up{" in line and line.endswith(" 1.0")]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(patient)
        triton.start()
        np.testing.assert_array_equal(waiting.result(60), expected)
    np.testing.assert_array_equal(hasty(), expected)
    while not _is_ready(watch):  # until it has connected again
        assert watch.look() == []


def test_a_killed_model_is_found_and_loaded_again(triton: TritonProcess) -> None:
    watch = ModelWatch(triton.address)
    assert watch.look() == []
    assert _is_ready(watch)
    assert TritonHealth(triton.address).faults() == {}
    step = _Step(triton.address, 0)
    expected = step()
    triton.kill_model(MOTION_MODEL)
    with pytest.raises(Unavailable, match="lost the process of a model"):
        step()
    assert [fault.code for fault in watch.look()] == ["models_dead"]
    assert not _is_ready(watch)
    metrics = watch.telemetry.exposition().decode()
    assert f'lipstream_model_up{{model="{MOTION_MODEL}",service="triton"}} 0.0' in metrics
    assert f'lipstream_model_up{{model="{ENCODER_MODEL}",service="triton"}} 1.0' in metrics
    assert watch.look() == []
    assert _is_ready(watch)
    np.testing.assert_array_equal(step(), expected)


def test_a_taken_port_is_named(triton: TritonProcess, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match=f"listen at 127.0.0.1:{triton.ports.grpc}"):
        triton_component(tmp_path, triton.ports, tmp_path)


def test_serve_mends_what_is_killed_and_leaves_nothing(
    triton: TritonProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LIPSTREAM_DATA_DIR", str(tmp_path))
    watched, *free = free_ports(4)
    monkeypatch.setenv("LIPSTREAM_METRICS_PORT", str(watched))
    ports = dict(zip(("grpc", "http", "metrics"), free, strict=True))
    process = subprocess.Popen(
        [sys.executable, "-m", "lipstream.inference", "serve"]
        + [f"--{side}-port={port}" for side, port in ports.items()],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    address = f"127.0.0.1:{ports['grpc']}"
    assert f"LIPSTREAM_MODELS=triton://{address}" in process.stdout.readline()
    step = _Step(address, 60)
    expected = step()
    stub_of(MOTION_MODEL, process.pid).kill()
    np.testing.assert_array_equal(step(), expected)
    url = f"http://127.0.0.1:{watched}/metrics"
    while 'lipstream_model_reloads_total{service="triton"} 1.0' not in _read(url):
        time.sleep(0.05)
    descendants = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    assert process.wait(60) == 0
    process.stdout.close()
    _, alive = psutil.wait_procs(descendants, timeout=30)
    assert not alive
    assert not list(Path("/dev/shm").glob(f"*{ports['grpc']}*"))

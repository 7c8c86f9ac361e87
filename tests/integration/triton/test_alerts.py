"""Alerts and dashboards on what Triton and the watch beside it told when models died."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest

from lipstream.inference.model_watch import ModelWatch
from lipstream.motion.baseline import MOTION_MODEL
from tests.integration.triton.triton_process import TritonProcess
from tests.ops.promtool import promtool
from tests.ops.scrapes import History, Page, check_alerts, check_panels, page


@pytest.fixture(scope="module", autouse=True)
def _promtool() -> None:
    promtool("--version")


def _scraped(triton: TritonProcess, watch: ModelWatch) -> Page:
    """Both are scraped of one pod, at two ports."""
    url = f"http://127.0.0.1:{triton.ports.metrics}/metrics"
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as told:
        server = page("triton", told.read().decode(), "127.0.0.1:8002")
    return server | page("triton-watch", watch.telemetry.exposition().decode())


def test_models_that_die_again_and_again(triton: TritonProcess, tmp_path: Path) -> None:
    watch = ModelWatch(triton.address)
    watch.look()
    before = _scraped(triton, watch)
    watch.look()
    calm = [before, _scraped(triton, watch)]
    history = History()
    history.play(calm, times=15)
    check_alerts(tmp_path, history)
    shown = ("Models run", "Triton: requests a batch", "Triton: wait for a batch, mean")
    check_panels(tmp_path, history, only=shown)

    triton.kill_model(MOTION_MODEL)
    watch.look()
    killed = _scraped(triton, watch)
    history.play([calm[-1], killed], times=3)
    history.play([killed] * 2, times=3)  # it is not mended
    check_alerts(tmp_path, history, "LipstreamModelDown", "LipstreamModelsReload")

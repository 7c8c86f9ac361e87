"""Rules and dashboards ask a real Prometheus, which has scraped a stack that speaks."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator

import httpx
import pytest

from helm.render_dashboards import DASHBOARDS
from lipstream.audio import resample, synthesize
from lipstream.runtime.local_stack import LocalStack
from tests.integration.sessions.listener import Listener
from tests.integration.sessions.prometheus import Prometheus
from tests.portrait import AVATAR

_RATE_HZ = 24_000
_ELSEWHERE = ("nv_", "lipstream_model_")
"""Of Triton and its watch, which this stack does not run."""


@pytest.fixture(scope="module")
def prometheus(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    targets = {**stack.metrics_urls, "gateway": stack.url}
    with Prometheus(targets, tmp_path_factory.mktemp("prometheus")) as running:
        running.until(lambda p: len(p.query("lipstream_ready == 1")) == len(targets))
        shown = 'lipstream_first_frame_seconds_count{service="gateway",lane="live"}'
        while not running.query(shown):  # on a slow machine the first words pass unseen
            asyncio.run(_speak(stack.url))
        _make_video(stack.url)
        ended = 'lipstream_job_duration_seconds_count{outcome="succeeded"} > 0'
        running.until(lambda p: bool(p.query(ended)))
        yield running


async def _speak(server: str) -> None:
    async with Listener.opened(server, avatar=AVATAR, size=128) as listener:
        speech = synthesize("My father saw a far away star.")
        samples = resample(speech.samples, speech.rate_hz, _RATE_HZ)
        await listener.client.speak((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())
        await listener.client.end()
        await listener.until("agent.speak_finished")
        await asyncio.sleep(1)  # until it was scraped


def _make_video(server: str) -> None:
    with httpx.Client(base_url=server, trust_env=False, timeout=60) as http:
        wanted = {"avatar": AVATAR, "text": "Hello.", "size": 128}
        video = http.post("/v1/videos", json=wanted).raise_for_status().json()
        while (document := http.get(f"/v1/videos/{video['id']}").json())["status"] != "succeeded":
            assert document["status"] in ("queued", "running"), document
            time.sleep(0.1)


def _expressions(prometheus: Prometheus) -> list[str]:
    rules = [
        rule["query"] for group in prometheus.get("rules")["groups"] for rule in group["rules"]
    ]
    panels = [q.expr for panels in DASHBOARDS.values() for p in panels for q in p.queries]
    return rules + [expr.replace("$__rate_interval", "1m") for expr in panels]


def test_every_metric_that_is_asked_for_is_scraped(prometheus: Prometheus) -> None:
    known = set(prometheus.get("metadata"))
    expressions = " ".join(_expressions(prometheus))
    named = set(re.findall(r"\b(?:lipstream|process|nv)_\w+", expressions))
    missing = {
        name
        for name in named
        if not name.startswith(_ELSEWHERE)
        and name not in known
        and re.sub(r"_(bucket|count|sum)$", "", name) not in known
    }
    assert missing <= {"lipstream_gpu_memory_bytes"}  # without a GPU


def test_every_expression_has_a_value_or_says_that_all_is_well(prometheus: Prometheus) -> None:
    for expression in _expressions(prometheus):
        prometheus.query(expression)
    for sample, what in (
        ('lipstream_first_frame_seconds_count{service="gateway",lane="live"}', "live"),
        ('lipstream_first_frame_seconds_count{service="render",lane="job"}', "films"),
        ("lipstream_batch_size_sum", "models"),
        ('lipstream_step_duration_seconds_count{service="motion"}', "steps"),
        ("lipstream_av_offset_seconds_count", "drift"),
        ('lipstream_queue_wait_seconds_count{service="render"}', "waits"),
        ('lipstream_audio_seconds_total{lane="live"}', "speech"),
        ('lipstream_frames_total{service="motion",lane="job"}', "motion"),
    ):
        found = prometheus.query(f"sum({sample}) > 0")
        assert found, what


def test_nothing_is_alarming_about_it(prometheus: Prometheus) -> None:
    rules = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
    assert all(rule["health"] != "err" for rule in rules), rules
    assert not prometheus.query('ALERTS{alertstate="firing"}')

"""Rules and dashboards ask a real Prometheus, which has scraped a stack that speaks."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator

import pytest

from helm.render_dashboards import DASHBOARDS
from lipstream.runtime.local_stack import LocalStack
from tests.integration.sessions.prometheus import Prometheus
from tests.integration.sessions.visits import make_video, speak

_ELSEWHERE = ("nv_", "lipstream_model_")
"""Of Triton and its watch, which this stack does not run."""


@pytest.fixture(scope="module")
def prometheus(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    targets = {**stack.metrics_urls, "gateway": stack.url}
    with Prometheus(targets, tmp_path_factory.mktemp("prometheus")) as running:
        running.until(lambda p: len(p.query("lipstream_ready == 1")) == len(targets))
        shown = 'lipstream_first_frame_seconds_count{service="gateway",lane="live"}'
        while not running.query(shown):  # on a slow machine the first words pass unseen
            asyncio.run(speak(stack.url))
            time.sleep(1)  # until it was scraped
        make_video(stack.url)
        ended = 'lipstream_job_duration_seconds_count{outcome="succeeded"} > 0'
        running.until(lambda p: bool(p.query(ended)))
        yield running


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

"""Values that cannot work are refused before anything reaches a cluster, with what to do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chart.conftest import Render

GOOD: dict[str, Any] = {"redis": {"host": "redis"}, "objectStore": {"url": "s3://bucket"}}


def test_the_least_that_must_be_said_is_enough(render: Render) -> None:
    kinds = {kind for kind, _ in render(GOOD)}
    assert {"Deployment", "Service", "NetworkPolicy", "PodDisruptionBudget"} <= kinds
    assert "StatefulSet" not in kinds


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"redis": {"host": ""}}, "redis: name one Redis"),
        ({"redis": {"bundled": {"enabled": True}}}, "redis: name one Redis"),
        (
            {"redis": {"host": "", "bundled": {"enabled": True}}},
            "the bundled Redis needs a password",
        ),
        ({"objectStore": {"url": ""}}, "objectStore: name one store"),
        ({"components": {"render": {"pool": "rtx4090"}}}, 'there is no node pool "rtx4090"'),
        ({"components": {"render": {"gpus": 1}}}, 'node pool "cpu" has no GPUs'),
        ({"components": {"render": {"image": "cudaa"}}}, 'there is no image "cudaa"'),
        (
            {"components": {"render": {"autoscaling": {"min": 20, "max": 10}}}},
            "autoscaling.min is above autoscaling.max",
        ),
        (
            {"components": {"gateway": {"autoscaling": {"kind": "keda"}}}},
            "KEDA has nothing to go by",
        ),
        (
            {"components": {"render": {"autoscaling": {"kind": "keda", "liveLoad": 0.7}}}},
            "needs monitoring.prometheusAddress",
        ),
        (
            {"components": {"triton": {"enabled": True, "callers": ["audioo"]}}},
            'its caller "audioo" is no component',
        ),
        ({"fits": {"where": "kubernetes", "pool": "a100"}}, 'fits: there is no node pool "a100"'),
        ({"fits": {"where": "kubernetes", "gpus": 1}}, 'fits: node pool "cpu" has no GPUs'),
        ({"gatewayApi": {"enabled": True}}, "set parentRefs to your Gateway"),
        (
            {"ingress": {"enabled": True}, "gatewayApi": {"enabled": True, "parentRefs": [{}]}},
            "choose one",
        ),
    ],
)
def test_contradictions_are_refused(values: dict[str, Any], says: str, render: Render) -> None:
    with pytest.raises(Exception, match=says):
        render(_over(GOOD, values))


@pytest.mark.parametrize(
    "values",
    [
        {"component": {}},
        {"components": {"render": {"replica": 3}}},
        {"components": {"render": {"replicas": "3"}}},
        {"components": {"render": {"autoscaling": {"kind": "vpa"}}}},
        {"components": {"Render": {}}},
        {"images": {"cpu": {"repository": "lipstream-cpu", "tag": "latest"}}},
        {"images": {"cpu": {"repository": "lipstream-cpu", "digest": "sha256:12"}}},
        {"redis": {"host": "redis://redis:6379"}},
        {"redis": {"password": "secret"}},
        {"objectStore": {"url": "ftp://bucket"}},
        {"settings": {"LIPSTREAM_LOG_LEVEL": "DEBUG"}},
        {"settings": {"redis": "redis://elsewhere"}},
        {"monitoring": {"rules": {"runbookBase": "wiki"}}},
    ],
)
def test_the_schema_refuses(values: dict[str, Any], render: Render) -> None:
    with pytest.raises(Exception, match="- at '"):
        render(_over(GOOD, values))


def _over(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        merged[key] = (
            _over(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
        )
    return merged

"""What KEDA is told by Prometheus, divided by its threshold, is how many replicas a stage needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.ops.promtool import promtool

CASES = {
    "audio": [  # waiting, held back, pending; and the replicas that this takes
        ({"waiting": 0, "held_back": 0, "pending": 0}, 0),
        ({"waiting": 50, "held_back": 0, "pending": 0}, 10),
        ({"waiting": 1000, "held_back": 1000, "pending": 2}, 2),
        ({"waiting": 1000, "held_back": 990, "pending": 4}, 6),
        ({"waiting": 0, "held_back": 0, "pending": 7}, 7),
    ],
    "avatar": [({"waiting": 4, "held_back": 0, "pending": 16}, 4)],  # each looks after 8 fits
}


@pytest.fixture(scope="module")
def triggers() -> dict[str, dict[str, str]]:
    """Of jobs, by stage, in the example that scales by KEDA."""
    yaml = pytest.importorskip("yaml", reason="needs the `ops` extra: make ops-tools")
    pytest.importorskip("helm_python", reason="needs the `ops` extra: make ops-tools")
    from helm.render_examples import example_values, render

    found = {}
    for text in render(example_values("gpu")).values():
        for document in yaml.load_all(text, yaml.CSafeLoader):
            if document["kind"] == "ScaledObject":
                stage = document["metadata"]["name"].removeprefix("lipstream-")
                found[stage] = document["spec"]["triggers"][0]["metadata"]
    return found


def _series(stage: str, told: Mapping[str, int]) -> list[dict[str, str]]:
    """Every worker of the stage tells the same; another stage is not looked at."""

    def series(name: str, value: int, labels: str = "") -> list[dict[str, str]]:
        return [
            {"series": f'{name}{{namespace="{space}",service="{of}"{labels}}}', "values": str(tell)}
            for space, of, tell in (
                (f'lipstream",pod="{stage}-1', stage, value),
                (f'lipstream",pod="{stage}-2', stage, value),
                ("lipstream", "other", 9999),
                ("elsewhere", stage, 9999),
            )
        ]

    return [
        *series("lipstream_queue_depth", told["waiting"], ',state="waiting"'),
        *series("lipstream_queue_depth", told["pending"], ',state="pending"'),
        *series("lipstream_queue_held_back", told["held_back"]),
    ]


def test_replicas_follow_the_jobs_that_can_go_on(
    triggers: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    tests: list[dict[str, Any]] = []
    for stage, cases in CASES.items():
        for told, replicas in cases:
            expected = {"labels": "{}", "value": replicas}
            query = f"({triggers[stage]['query']}) / {triggers[stage]['threshold']}"
            tests.append(
                {
                    "interval": "1m",
                    "input_series": _series(stage, told),
                    "promql_expr_test": [{"expr": query, "exp_samples": [expected]}],
                }
            )
    path = tmp_path / "scaling.test.yaml"
    path.write_text(json.dumps({"rule_files": [], "tests": tests}))
    promtool("test", "rules", path)

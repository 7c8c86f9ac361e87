"""Alerts and dashboards reach the cluster word for word."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.chart.conftest import Render

ALERT = """
groups:
  - name: stages
    rules:
      - alert: StageLags
        expr: max by (service) (lipstream_queue_depth{state="waiting"}) > 100
        annotations: {summary: '{{ $labels.service }} lags by {{ $value }} jobs'}
"""
DASHBOARD = {"title": "Lipstream", "panels": [{"title": "{{ service }}", "legendFormat": "{{x}}"}]}


def test_alerts_and_dashboards_keep_their_own_braces(render: Render, tmp_path: Path) -> None:
    import yaml

    from helm.render_examples import CHART, example_values
    from helm.render_examples import render as templates

    chart = tmp_path / "lipstream"
    shutil.copytree(CHART, chart)
    for folder, name, text in (
        ("alerts", "stages.yaml", ALERT),
        ("dashboards", "stages.json", json.dumps(DASHBOARD, indent=2)),
    ):
        (chart / folder).mkdir(exist_ok=True)
        (chart / folder / name).write_text(text)

    made = templates(example_values("gpu"), chart)

    documents = [
        document
        for template in ("alerts.yaml", "dashboards.yaml")
        for document in yaml.safe_load_all(made[template])
    ]
    objects = {document["metadata"]["name"]: document for document in documents}
    rule = objects["lipstream-stages"]
    assert rule["spec"] == yaml.safe_load(ALERT)
    assert rule["metadata"]["labels"]["release"] == "prometheus"
    dashboard = objects["lipstream-dashboard-stages"]
    assert json.loads(dashboard["data"]["stages.json"]) == DASHBOARD
    assert dashboard["metadata"]["labels"]["grafana_dashboard"] == "1"


@pytest.mark.parametrize("base", ["https://git.example.com/lipstream/blob/main/", ""])
def test_every_alert_links_to_its_section_of_the_runbook(base: str, render: Render) -> None:
    from helm.render_examples import example_values

    values = example_values("gpu")
    values["monitoring"]["rules"]["runbookBase"] = base
    rules = [
        rule
        for (kind, _), manifest in render(values).items()
        if kind == "PrometheusRule"
        for group in manifest["spec"]["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]
    assert len(rules) > 15
    for rule in rules:
        url: str = rule["annotations"]["runbook_url"]
        assert url.startswith(base)
        path, _, section = url.removeprefix(base).partition("#")
        headings = re.findall(r"^## (.+)$", Path(path).read_text(), re.MULTILINE)
        assert section in [heading.lower() for heading in headings]


def test_metrics_keep_the_label_that_names_their_stage(render: Render) -> None:
    from helm.render_examples import example_values

    monitor = render(example_values("gpu"))["ServiceMonitor", "lipstream"]
    assert all(endpoint["honorLabels"] for endpoint in monitor["spec"]["endpoints"])

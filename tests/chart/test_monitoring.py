"""Alerts and dashboards reach the cluster word for word."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

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


def test_metrics_keep_the_label_that_names_their_stage(render: Render) -> None:
    from helm.render_examples import example_values

    monitor = render(example_values("gpu"))["ServiceMonitor", "lipstream"]
    assert all(endpoint["honorLabels"] for endpoint in monitor["spec"]["endpoints"])

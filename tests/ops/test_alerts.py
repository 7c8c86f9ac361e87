"""Alerts and dashboards: valid, proven to fire, of metrics that exist, with a page to turn to."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from helm.render_dashboards import DASHBOARDS, dashboard
from lipstream.runtime.telemetry import Telemetry
from tests.ops.promtool import promtool
from tests.ops.scrapes import History, check_alerts, check_panels, page

_ROOT = Path(__file__).resolve().parents[2]
_CHART = _ROOT / "helm" / "lipstream"
_RULES = sorted((_CHART / "alerts").glob("*.yaml"))
_CASES = Path(__file__).with_name("alerts.test.yaml")
_TOLD = (
    "integration/sessions/test_alerts.py",
    "integration/test_faulty_networks.py",
    "integration/test_job_alerts.py",
    "integration/triton/test_alerts.py",
    "ops/test_alerts.py",
)
_SUFFIX = re.compile(r"_(bucket|count|sum)$")


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    yaml = pytest.importorskip("yaml", reason="needs PyYAML: make ops-tools")
    files = [yaml.safe_load(path.read_text()) for path in _RULES]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def alerts(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [rule for rule in rules if "alert" in rule]


def test_promtool_takes_the_rules() -> None:
    promtool("check", "rules", *_RULES)


@pytest.mark.parametrize("service", ["gateway", "audio", "motion", "avatar", "render"])
def test_promtool_takes_what_services_tell(service: str) -> None:
    promtool("check", "metrics", given=Telemetry(service).exposition())


def test_alerts_fire_on_what_they_are_for_and_on_nothing_else() -> None:
    promtool("test", "rules", _CASES)


def test_every_alert_has_a_case_in_which_it_fires(alerts: list[dict[str, Any]]) -> None:
    proven = re.findall(r'labels: \'ALERTS\{alertname="(\w+)"', _CASES.read_text())
    assert set(proven) == {alert["alert"] for alert in alerts}


def test_every_alert_is_seen_on_what_processes_told(alerts: list[dict[str, Any]]) -> None:
    told = " ".join((_ROOT / "tests" / path).read_text() for path in _TOLD)
    for alert in alerts:
        assert f'"{alert["alert"]}"' in told, alert["alert"]


def test_a_full_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a service tells beside a GPU; its driver is played here, for there is none."""
    memory = SimpleNamespace(used=60 << 30, total=80 << 30)
    driver = SimpleNamespace(
        NVMLError=OSError,
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: 1,
        nvmlDeviceGetHandleByIndex=lambda number: number,
        nvmlDeviceGetMemoryInfo=lambda handle: memory,
    )
    monkeypatch.setitem(sys.modules, "pynvml", driver)
    telemetry = Telemetry("render")
    well = page("render", telemetry.exposition().decode())
    memory.used = 79 << 30
    full = page("render", telemetry.exposition().decode())
    history = History()
    history.play([well] * 2, times=15)
    check_alerts(tmp_path, history)
    check_panels(tmp_path, history, only=("GPU memory",))
    history.play([full] * 2, times=15)
    check_alerts(tmp_path, history, "LipstreamGpuMemory")


def test_every_alert_has_its_page(alerts: list[dict[str, Any]]) -> None:
    sections = re.split(r"^## ", (_ROOT / "docs" / "runbook.md").read_text(), flags=re.MULTILINE)
    pages = dict(section.split("\n", 1) for section in sections[1:])
    assert set(pages) == {alert["alert"] for alert in alerts}
    for alert in alerts:
        name = alert["alert"]
        assert alert["annotations"]["runbook_url"] == f"docs/runbook.md#{name.lower()}"
        assert alert["labels"]["severity"] in ("critical", "warning")
        for part in ("**Means:**", "**See:**", "**Do:**"):
            assert part in pages[name], f"{name} lacks {part}"


def test_dashboards_are_current() -> None:
    import json

    for name in DASHBOARDS:
        path = _CHART / "dashboards" / f"{name}.json"
        assert json.loads(path.read_text()) == dashboard(name), "python helm/render_dashboards.py"
    assert len(DASHBOARDS) == len(list((_CHART / "dashboards").iterdir()))


def test_what_is_asked_for_is_declared(rules: list[dict[str, Any]]) -> None:
    declared = {metric.name for metric in Telemetry("gateway").declared}
    expressions = [rule["expr"] for rule in rules]
    expressions += [q.expr for panels in DASHBOARDS.values() for p in panels for q in p.queries]
    named = set(re.findall(r"\blipstream_\w+", " ".join(expressions)))
    assert {_SUFFIX.sub("", name) for name in named} <= declared
    recorded = {rule["record"] for rule in rules if "record" in rule}
    assert set(re.findall(r"\blipstream:[\w:]+", " ".join(expressions))) <= recorded

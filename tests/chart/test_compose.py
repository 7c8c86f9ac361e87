"""deploy/compose.yaml speaks of services, settings and images that there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lipstream.pipeline import STAGES
from lipstream.runtime.settings import Settings

DEPLOY = Path("deploy")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    yaml = pytest.importorskip("yaml", reason="needs the `ops` extra: make ops-tools")
    services: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    return services


def test_every_stage_runs_and_is_found(services: dict[str, Any]) -> None:
    assert set(services) == {"redis", "gateway", *(stage.name for stage in STAGES)}
    for stage in STAGES:
        assert services[stage.name]["command"] == ["python", "-m", stage.module]
        addressed = services["gateway"]["environment"][f"LIPSTREAM_{stage.name.upper()}_ADDRESS"]
        port = getattr(Settings(), f"{stage.name}_address").rpartition(":")[2]
        assert addressed == f"{stage.name}:{port}"


def test_services_get_settings_that_they_know(services: dict[str, Any]) -> None:
    known = {f"LIPSTREAM_{name.upper()}" for name in Settings.model_fields}
    for service in services.values():
        assert set(service.get("environment", ())) <= known


def test_containers_are_hardened_and_only_the_gateway_is_reached(
    services: dict[str, Any],
) -> None:
    for name, service in services.items():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert ("ports" in service) == (name == "gateway")
    assert services["gateway"]["ports"] == ["127.0.0.1:8080:8080"]


def test_images_are_those_that_the_dockerfile_makes(services: dict[str, Any]) -> None:
    dockerfile = (DEPLOY / "docker" / "cpu.Dockerfile").read_text()
    for service in services.values():
        name, _, tag = service["image"].partition(":")
        assert tag != "latest"
        if name.startswith("lipstream-"):
            assert f" AS {name.removeprefix('lipstream-')}\n" in dockerfile


@pytest.mark.parametrize(
    ("image", "without"), [("gateway", ("numpy", "av", "onnxruntime")), ("cpu", ("torch", "jax"))]
)
def test_images_are_pinned_and_hold_no_more_than_they_need(
    image: str, without: tuple[str, ...]
) -> None:
    text = (DEPLOY / "docker" / "requirements" / f"{image}.txt").read_text()
    pins = [line for line in text.splitlines() if not line.startswith(" ")]
    assert all("==" in pin and pin.endswith("\\") for pin in pins)
    assert not {pin.partition("==")[0] for pin in pins} & set(without)

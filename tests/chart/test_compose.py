"""deploy/compose.yaml speaks of services, settings and images that there are."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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
        if name != "redis":
            assert {"objects:/objects", _data_dir()} <= set(service["volumes"])
    assert services["gateway"]["ports"] == ["127.0.0.1:8080:8080"]
    # Else a Redis without a password may answer its own container alone.
    assert " --protected-mode no " in " ".join(services["redis"]["command"])


def _data_dir() -> str:
    """Where the images have their data; what is not mounted there cannot be written."""
    dockerfile = (DEPLOY / "docker/cpu.Dockerfile").read_text()
    (folder,) = re.findall(r"LIPSTREAM_DATA_DIR=(\S+)", dockerfile)
    return str(folder)


def test_images_are_those_that_the_dockerfiles_make(services: dict[str, Any]) -> None:
    dockerfile = "".join(path.read_text() for path in (DEPLOY / "docker").glob("*.Dockerfile"))
    for service in services.values():
        name, _, tag = service["image"].partition(":")
        assert tag != "latest"
        if name.startswith("lipstream-"):
            assert f" AS {name.removeprefix('lipstream-')}\n" in dockerfile


def _demands(extra: str) -> Iterator[Requirement]:
    """Of an extra of this package, and of those that it asks for."""
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    for text in project["dependencies"] + project["optional-dependencies"][extra]:
        demand = Requirement(text)
        if demand.name != "lipstream":
            yield demand
        for other in demand.extras if demand.name == "lipstream" else ():
            yield from _demands(other)


@pytest.mark.parametrize("image", ["gateway", "cpu", "cuda"])
def test_what_an_image_needs_is_pinned_as_the_package_asks(image: str) -> None:
    folder = DEPLOY / "docker"
    asked = r"lipstream\[([\w,]+)\].*?--output-file (\w+)\.txt"
    lock = re.findall(asked, (folder / "lock").read_text(), re.DOTALL)
    (extras,) = (extras for extras, file in lock if file == image)
    pinned: dict[str, str] = {}
    for file in (image, "gsplat"):
        text = (folder / "requirements" / f"{file}.txt").read_text()
        pinned |= dict(re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", text, re.MULTILINE))
    for extra in extras.split(","):
        for demand in _demands(extra):
            assert demand.specifier.contains(pinned[canonicalize_name(demand.name)]), demand


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

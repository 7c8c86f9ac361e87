"""Objects of operators' own kinds, held strictly against the schemas of these operators."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chart.conftest import Manifests, Render

SCHEMAS = Path("helm/schemas")
KINDS = sorted(path.stem for path in SCHEMAS.glob("*.json"))
TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
METADATA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"},
        "namespace": {"type": "string"},
        "labels": TEXTS,
        "annotations": TEXTS,
    },
    "required": ["name", "labels"],
}


def _strict(schema: Any) -> Any:
    """The same, which takes no field that it does not name."""
    if isinstance(schema, list):
        return [_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _strict(part) for name, part in schema.items()}
    if isinstance(made.get("properties"), dict) and made["properties"]:
        made.setdefault("additionalProperties", False)
    return made


def _faults(manifest: dict[str, Any]) -> list[str]:
    jsonschema = pytest.importorskip("jsonschema", reason="needs the `ops` extra: make ops-tools")
    schema = json.loads((SCHEMAS / f"{manifest['kind']}.json").read_text())
    schema["properties"]["metadata"] = METADATA
    found = jsonschema.Draft7Validator(_strict(schema)).iter_errors(manifest)
    return [f"{error.json_path}: {error.message}" for error in found]


@pytest.fixture(scope="module")
def objects(example: Callable[[str], Manifests], render: Render) -> list[dict[str, Any]]:
    """Of these kinds: in the examples, and where KEDA has no Prometheus to ask."""
    from helm.render_examples import example_values

    values = example_values("processors")
    values["components"]["render"]["autoscaling"]["kind"] = "keda"
    values["redis"]["username"] = "lipstream"
    made = [example("gpu"), example("processors"), render(values)]
    return [m for each in made for m in each.values() if m["kind"] in KINDS]


def _objects_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from _objects_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from _objects_in(part)


def test_operators_take_every_object(objects: list[dict[str, Any]]) -> None:
    assert {manifest["kind"] for manifest in objects} == set(KINDS)
    for manifest in objects:
        assert not _faults(manifest), manifest["metadata"]["name"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_that_an_operator_does_not_know_is_refused(
    kind: str, objects: list[dict[str, Any]]
) -> None:
    manifest = copy.deepcopy(next(m for m in objects if m["kind"] == kind))
    for place in [p for p in _objects_in(manifest["spec"]) if not _holds_texts(p)]:
        place["nonsense"] = 1
        assert _faults(manifest), place
        del place["nonsense"]
    assert not _faults(manifest)
    manifest["spec"]["nonsense"] = "1"
    assert _faults(manifest)


def _holds_texts(place: dict[str, Any]) -> bool:
    """Whether it is a map of names that are free to choose."""
    return all(isinstance(value, str) for value in place.values())

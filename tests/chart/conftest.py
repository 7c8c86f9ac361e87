"""The chart, rendered as users would; skipped where the tools are not installed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

Manifests = dict[tuple[str, str], dict[str, Any]]
"""Objects by kind and name."""
Render = Callable[[dict[str, Any]], Manifests]


@pytest.fixture(scope="session")
def render() -> Render:
    """Objects that the chart makes of some values."""
    yaml = pytest.importorskip("yaml", reason="needs the `ops` extra: make ops-tools")
    pytest.importorskip("helm_python", reason="needs the `ops` extra: make ops-tools")
    from helm.render_examples import render as templates

    def objects(values: dict[str, Any]) -> Manifests:
        made: Manifests = {}
        for text in templates(values).values():
            for document in yaml.load_all(text, yaml.CSafeLoader):
                key = (document["kind"], document["metadata"]["name"])
                assert key not in made, f"{key} is made twice"
                made[key] = document
        return made

    return objects


@pytest.fixture(scope="session")
def example(render: Render) -> Callable[[str], Manifests]:
    """Objects of one of helm/examples."""
    from helm.render_examples import example_values

    return functools.cache(lambda name: render(example_values(name)))

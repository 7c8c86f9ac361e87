"""The JSON schema of a body that FastAPI does not read itself, for /docs."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

__all__ = ["request_schema"]

_PREFIX = "#/$defs/"


def request_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Of a model, with its parts in place: inside the OpenAPI document its references to them
    would lead nowhere."""
    schema = model.model_json_schema()
    parts = schema.pop("$defs", {})

    def placed(node: Any) -> Any:
        if isinstance(node, list):
            return [placed(item) for item in node]
        if not isinstance(node, dict):
            return node
        own = dict(node)
        part = own.pop("$ref", "").removeprefix(_PREFIX)
        return {name: placed(value) for name, value in {**parts.get(part, {}), **own}.items()}

    placed_schema: dict[str, Any] = placed(schema)
    return placed_schema

"""Settings of a training run from a TOML file, over the defaults of its dataclass."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from lipstream.errors import BadInput, NotFound

__all__ = ["overridden", "read_overrides"]

Config = TypeVar("Config")


def read_overrides(path: Path) -> dict[str, Any]:
    """
    Raises:
        NotFound: there is no such file.
        BadInput: it is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFound(f"There is no file {path}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is no TOML: {error}.") from None


def overridden(config: Config, values: Mapping[str, Any], place: str = "") -> Config:
    """The configuration with some of its values replaced; tables replace inside of parts.

    Raises:
        BadInput: a name is not known there, or a value is of another kind.
    """
    known = {field.name for field in fields(config)}  # type: ignore[arg-type]
    changes: dict[str, Any] = {}
    for name, value in values.items():
        where = f"{place}{name}"
        if name not in known:
            raise BadInput(
                f"The configuration knows no {where}.",
                remedy=f"Known are: {', '.join(sorted(known))}.",
            )
        changes[name] = _converted(getattr(config, name), value, where)
    return replace(config, **changes)  # type: ignore[type-var]


def _converted(present: Any, value: Any, where: str) -> Any:
    if is_dataclass(present) and isinstance(value, Mapping):
        return overridden(present, value, f"{where}.")
    if isinstance(present, StrEnum) and isinstance(value, str):
        kind = type(present)
        if value not in set(kind):
            raise BadInput(f"{where} is one of {', '.join(kind)}, not {value}.")
        return kind(value)
    if isinstance(present, float) and type(value) is int:
        return float(value)
    if isinstance(present, tuple) and isinstance(value, list):
        return tuple(value)
    if type(value) is not type(present):
        raise BadInput(
            f"{where} is {value!r}; a {type(present).__name__} such as {present!r} was expected."
        )
    return value

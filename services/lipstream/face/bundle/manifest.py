"""The manifest of an avatar bundle: what it holds, of whom, and with whose leave."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from lipstream.errors import BadInput
from lipstream.face.model import SPLATS
from lipstream.wire.objects import checked_avatar_id

__all__ = ["FORMAT", "VERSION", "Consent", "Manifest", "Member", "Note", "RigInfo", "Source"]

FORMAT = "lipstream-avatar"
VERSION = 1
_MAX_TEXT = 4000


@dataclass(frozen=True, slots=True)
class Source:
    """What the avatar was made from."""

    kind: str  # "photo" or "video"
    sha256: str  # of the file
    width: int  # pixels
    height: int


@dataclass(frozen=True, slots=True)
class Consent:
    """The leave of the person shown, in the words of whoever gave it."""

    statement: str
    by: str
    at: str  # ISO 8601


@dataclass(frozen=True, slots=True)
class Note:
    """Something about the source that lowers the avatar's quality."""

    reason: str
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the bundle."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class RigInfo:
    """What other programs need to know before they read the arrays."""

    shapes: tuple[str, ...]
    color_shapes: tuple[str, ...]
    parts: tuple[str, ...]
    focal: float  # picture widths
    cull_cosine: float
    vertices: int
    triangles: int
    gaussians: int
    units: str = "mm; head frame: x person's left, y down, z away from the camera"


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything about an avatar but its arrays and pictures."""

    name: str
    created: str  # ISO 8601, UTC
    source: Source
    rig: RigInfo
    consent: Consent | None = None
    license: str = ""  # under which the avatar may be used, if its owner says so
    generator: str = ""
    renderer: str = SPLATS  # name of what draws it; bundles of old do not say
    quality: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[Note, ...] = ()
    members: Mapping[str, Member] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """Canonical: equal manifests give equal bytes."""
        document = {"format": FORMAT, "version": VERSION, **asdict(self)}
        return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Manifest:
        """Parse strictly; unknown keys are left for later versions to read.

        Raises:
            BadInput: not a manifest, of another version, or with values of the wrong kind.
        """
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            raise _damaged("it is no JSON") from None
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise BadInput(
                "The file is not an avatar bundle.",
                remedy="Create one with: lipstream avatar create PHOTO --name NAME --consent WORDS",
                code="not_a_bundle",
            )
        if document.get("version") != VERSION:
            raise BadInput(
                f"The avatar bundle has version {document.get('version')!r}; "
                f"version {VERSION} can be read.",
                remedy="Update lipstream, or create the avatar again.",
                code="unknown_version",
            )
        return _Reader(document).manifest()


def _damaged(why: str) -> BadInput:
    return BadInput(
        f"The avatar's manifest is damaged: {why}.",
        remedy="Create the avatar again.",
        code="damaged_bundle",
    )


class _Reader:
    """Takes typed values out of parsed JSON."""

    def __init__(self, document: Mapping[str, Any], path: str = "") -> None:
        self._document = document
        self._path = path

    def manifest(self) -> Manifest:
        source, rig = self._inner("source"), self._inner("rig")
        members = self._inner("members")
        return Manifest(
            name=checked_avatar_id(self._text("name")),
            created=self._text("created"),
            source=Source(
                source._text("kind"),
                source._text("sha256"),
                source._count("width"),
                source._count("height"),
            ),
            rig=RigInfo(
                rig._texts("shapes"),
                rig._texts("color_shapes"),
                rig._texts("parts"),
                rig._number("focal"),
                rig._number("cull_cosine"),
                rig._count("vertices"),
                rig._count("triangles"),
                rig._count("gaussians"),
            ),
            consent=self._consent(),
            license=self._text("license"),
            generator=self._text("generator"),
            renderer=self._text("renderer") if "renderer" in self._document else SPLATS,
            quality={
                key: self._inner("quality")._number(key) for key in self._inner("quality")._document
            },
            warnings=tuple(
                Note(note._text("reason"), note._text("message"), note._text("remedy", ""))
                for note in self._list("warnings")
            ),
            members={
                key: Member(
                    members._inner(key)._text("sha256"), members._inner(key)._count("bytes")
                )
                for key in members._document
            },
        )

    def _consent(self) -> Consent | None:
        if self._document.get("consent") is None:
            return None
        given = self._inner("consent")
        return Consent(given._text("statement"), given._text("by"), given._text("at"))

    def _value(self, key: str) -> Any:
        if key not in self._document:
            raise _damaged(f"{self._path}{key} is missing")
        return self._document[key]

    def _inner(self, key: str) -> _Reader:
        value = self._value(key)
        if not isinstance(value, dict):
            raise _damaged(f"{self._path}{key} is no object")
        return _Reader(value, f"{self._path}{key}.")

    def _list(self, key: str) -> list[_Reader]:
        value = self._value(key)
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            raise _damaged(f"{self._path}{key} is no list of objects")
        return [_Reader(v, f"{self._path}{key}.") for v in value]

    def _text(self, key: str, default: str | None = None) -> str:
        if default is not None and key not in self._document:
            return default
        value = self._value(key)
        if not isinstance(value, str) or len(value) > _MAX_TEXT:
            raise _damaged(f"{self._path}{key} is no text of at most {_MAX_TEXT} characters")
        return value

    def _texts(self, key: str) -> tuple[str, ...]:
        value = self._value(key)
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise _damaged(f"{self._path}{key} is no list of texts")
        return tuple(value)

    def _number(self, key: str) -> float:
        value = self._value(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _damaged(f"{self._path}{key} is no number")
        return float(value)

    def _count(self, key: str) -> int:
        value = self._value(key)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise _damaged(f"{self._path}{key} is no count")
        return value

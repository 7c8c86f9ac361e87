"""The lines of a manifest on this machine, and the report beside what becomes of them."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lipstream.errors import BadInput, NotFound
from lipstream.wire.fields import dump_json

__all__ = ["BatchReport", "ManifestLine", "read_manifest"]

_NUMBERS = ("fps", "seed", "size", "deadline_s")
_FILES = ("audio", "background")


@dataclass(frozen=True, slots=True)
class ManifestLine:
    """One video that is wanted.

    Attributes:
        number: from 1.
        fields: of `POST /v1/videos`, without files.
        files: `audio` and `background`, where they are files.
        out: name of the video in the folder of results.
    """

    number: int
    fields: dict[str, Any]
    files: dict[str, Path]
    out: str

    def key(self, attempt: int) -> str:
        """The same for the same wish, so that it is not made twice; another for another try."""
        wish = {
            "fields": self.fields,
            "files": {name: _digest(path) for name, path in self.files.items()},
            "line": self.number,
            "out": self.out,
            "attempt": attempt,
        }
        return hashlib.sha256(dump_json(wish).encode()).hexdigest()


def read_manifest(path: Path) -> list[ManifestLine]:
    """JSON Lines, or CSV with a header by the ending `.csv`.

    Raises:
        NotFound: there is no such file, or one that it names is missing.
        BadInput: a line cannot be read, or two lines have the same `out`.
    """
    if not path.is_file():
        raise NotFound(f"There is no manifest {path}.")
    try:
        text = path.read_text("utf-8-sig")
        rows = list(_csv(text) if path.suffix.lower() == ".csv" else _json_lines(text))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path} cannot be read: {error}.") from None
    lines = [_line(number, row, path.parent) for number, row in enumerate(rows, 1)]
    if not lines:
        raise BadInput(f"{path} has no lines.")
    names = [line.out for line in lines]
    if twice := {name for name in names if names.count(name) > 1}:
        raise BadInput(f"Several lines have the out {min(twice)!r}.", remedy="Name each once.")
    return lines


class BatchReport:
    """`report.jsonl`: what became of each line. It grows while they end, the last word counts."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "report.jsonl"
        self.entries: dict[int, dict[str, Any]] = {}
        if self._path.exists():
            for text in self._path.read_text().splitlines():
                with contextlib.suppress(ValueError):  # the last, of one that was killed
                    entry = json.loads(text)
                    self.entries[int(entry["line"])] = entry

    def note(self, line: ManifestLine, key: str, **news: Any) -> None:
        """Keep what became of a line."""
        self.entries[line.number] = {"line": line.number, "out": line.out, "key": key} | news
        with self._path.open("a") as file:
            file.write(json.dumps(self.entries[line.number], ensure_ascii=False) + "\n")

    def tidy(self) -> None:
        """Leave one entry a line, in order."""
        rows = [json.dumps(self.entries[n], ensure_ascii=False) for n in sorted(self.entries)]
        part = self._path.with_suffix(".part")
        part.write_text("".join(f"{row}\n" for row in rows))
        part.replace(self._path)


def _csv(text: str) -> Iterator[Any]:
    for row in csv.DictReader(text.splitlines(), strict=True):
        yield {
            name: int(cell) if name in _NUMBERS and cell.isdecimal() else cell
            for name, cell in row.items()
            if cell
        }


def _json_lines(text: str) -> Iterator[Any]:
    for number, line in enumerate(filter(str.strip, text.splitlines()), 1):
        try:
            yield json.loads(line)
        except ValueError as error:
            raise BadInput(f"Line {number} of the manifest is no JSON: {error}.") from None


def _line(number: int, row: Any, folder: Path) -> ManifestLine:
    if not isinstance(row, dict):
        raise BadInput(f"Line {number} of the manifest is no object.")
    fields = dict(row)
    out = str(fields.pop("out", f"{number:05d}.{fields.get('format', 'mp4')}"))
    if Path(out).name != out or out.startswith("."):
        raise BadInput(f"Line {number}: {out!r} is no file's name.", remedy="Name no folder in it.")
    files = {}
    for name in _FILES:
        wish = str(fields.get(name, ""))
        path = folder / wish
        if wish and path.is_file():
            files[name] = path
            del fields[name]
        elif name == "audio" and wish:
            raise NotFound(f"Line {number}: there is no file {path}.")
    return ManifestLine(number, {"priority": "batch"} | fields, files, out)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

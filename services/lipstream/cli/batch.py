"""`lipstream batch`: a video for each line of a manifest."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lipstream.cli.console import console, error_console, progress_bars
from lipstream.errors import LipstreamError

if TYPE_CHECKING:
    from lipstream.cli.batch_lines import BatchReport, ManifestLine
    from lipstream.cli.rest_client import RestClient

__all__ = ["batch"]

_BUSY = ("overloaded", "quota_exceeded", "rate_limited", "idempotency_in_progress", "unavailable")
_PAUSE_S = 1.0
_SHOWN = 5


def batch(
    manifest: Annotated[
        Path,
        typer.Argument(help="JSON Lines, or .csv with a header: fields of POST /v1/videos."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the videos.")] = Path("batch"),
    url: Annotated[
        str | None,
        typer.Option(help="A gateway; by default a stack is started here.", envvar="LIPSTREAM_URL"),
    ] = None,
) -> None:
    """Make a video for each line, and a report of them.

    Lines name an avatar and either a text or a recording in audio, by its path from the manifest;
    out names the video. Run it again to go on after a stop: what is done is not done again, and
    what failed is tried again. What became of each line is in report.jsonl beside the videos.
    """
    from lipstream.cli.batch_lines import BatchReport, read_manifest
    from lipstream.cli.rest_client import RestClient

    lines = read_manifest(manifest)
    out.mkdir(parents=True, exist_ok=True)
    report = BatchReport(out)
    with _gateway(url) as address, RestClient(address) as client, progress_bars() as bars:
        client.check_videos()  # one that goes away later is waited for
        task = bars.add_task("batch", total=len(lines), note="")
        asked = {}
        for line in lines:
            if video := _ask(client, line, report, out):
                asked[line.number] = (line, *video)
            bars.update(task, completed=_done(lines, asked), note=f"line {line.number} asked for")
        while asked:
            time.sleep(_PAUSE_S)
            for number, (line, key, video_id) in list(asked.items()):
                if _settled(client, line, key, video_id, report, out):
                    del asked[number]
            bars.update(task, completed=_done(lines, asked), note=f"{len(asked)} to come")
    report.tidy()
    entries = [report.entries[line.number] for line in lines]
    counts = Counter(entry["status"] for entry in entries)
    failed = [entry for entry in entries if entry["status"] != "succeeded"]
    for entry in failed[:_SHOWN]:
        problem = entry.get("error") or {}
        reason = f"{problem.get('detail', entry['status'])} {problem.get('remedy') or ''}".strip()
        error_console.print(f"line {entry['line']}: {reason}", highlight=False)
    console.print(
        f"{counts['succeeded']} of {len(lines)} videos are in {out}; see {out / 'report.jsonl'}",
        highlight=False,
    )
    if failed:
        raise typer.Exit(1)


def _done(lines: list[ManifestLine], asked: dict[int, Any]) -> int:
    return len(lines) - len(asked)


@contextlib.contextmanager
def _gateway(url: str | None) -> Iterator[str]:
    if url is not None:
        yield url
        return
    from lipstream.runtime.local_stack import LocalStack
    from lipstream.runtime.settings import load_settings

    with LocalStack(load_settings()) as stack:
        yield stack.url


def _ask(
    client: RestClient, line: ManifestLine, report: BatchReport, out: Path
) -> tuple[str, str] | None:
    """Ask for a line's video, unless it is there; the key and the video's id."""
    earlier = report.entries.get(line.number, {})
    attempt = int(earlier.get("attempt", 1))
    key = line.key(attempt)
    if earlier.get("key") == key:
        if earlier["status"] == "succeeded" and (out / line.out).is_file():
            return None
        if earlier["status"] in ("failed", "cancelled"):
            attempt += 1
            key = line.key(attempt)
    else:
        attempt = 1
        key = line.key(attempt)
    while True:
        try:
            video = client.create_video(**(line.fields | line.files), idempotency_key=key)
        except LipstreamError as error:
            if error.code in _BUSY:
                time.sleep(_PAUSE_S)
                continue
            problem = {"code": error.code, "detail": error.message, "remedy": error.remedy}
            report.note(line, key, attempt=attempt, status="failed", error=problem)
            return None
        report.note(line, key, attempt=attempt, status="queued", video=video["id"])
        return key, str(video["id"])


def _settled(
    client: RestClient, line: ManifestLine, key: str, video_id: str, report: BatchReport, out: Path
) -> bool:
    """Whether a video has ended; if so it is fetched, and the report says what became of it."""
    attempt = report.entries[line.number]["attempt"]
    try:
        video = client.video(video_id)
        if video["status"] in ("queued", "running"):
            return False
        if video["status"] == "succeeded":
            part = out / f".{line.out}.part"
            client.download(f"/v1/videos/{video_id}/file", part)
            part.replace(out / line.out)
    except LipstreamError as error:
        if error.code in _BUSY:
            return False
        problem = {"code": error.code, "detail": error.message, "remedy": error.remedy}
        report.note(line, key, attempt=attempt, status="failed", video=video_id, error=problem)
        return True
    news = {"status": video["status"], "video": video_id, "results": video["results"]}
    if video["error"]:
        news["error"] = video["error"]
    report.note(line, key, attempt=attempt, **news)
    return True

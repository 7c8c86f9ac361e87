"""`lipstream jobs`: what operators see of jobs and do to them, in the platform's Redis."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.table import Table

from lipstream.cli.console import console, show_table, shown_time
from lipstream.cli.shared_redis import ask_redis
from lipstream.errors import LipstreamError
from lipstream.pipeline import STAGES, JobKind, stage_named

if TYPE_CHECKING:
    from lipstream.runtime.jobs import JobStore
    from lipstream.wire.job import Job
    from lipstream.wire.messages import DeadLetter
    from lipstream.wire.problem import Problem

__all__ = ["app"]

T = TypeVar("T")

app = typer.Typer(
    help="Jobs of the platform at LIPSTREAM_REDIS, or of the stack that runs on this machine.",
    no_args_is_help=True,
)

_Id = Annotated[str, typer.Argument(help="A job's id: of a video, or avatar- and its name.")]
_AT_ONCE = 10_000


@app.command("list")
def list_jobs(
    kind: Annotated[JobKind, typer.Option(help="Of which kind.")] = JobKind.VIDEO,
    tenant: Annotated[str, typer.Option(help="Whose.")] = "default",
    status: Annotated[str | None, typer.Option(help="Only failed ones, for example.")] = None,
    limit: Annotated[int, typer.Option(help="How many of the newest to look at.", min=1)] = 50,
) -> None:
    """The newest jobs first."""
    from lipstream.wire.job import JobStatus

    known = [each.value for each in JobStatus]
    if status is not None and status not in known:
        raise typer.BadParameter(f"There is no status {status!r}; there are {', '.join(known)}.")
    jobs = _run(lambda store: store.list_jobs(kind, tenant=tenant, limit=limit))
    table = Table("job", "status", "stage", "done", "priority", "created", "error", box=None)
    for job in jobs:
        if status in (None, job.status.value):
            error = job.error.code if job.error else ""
            share = f"{job.progress:.0%}"
            created = shown_time(job.created_ms)
            table.add_row(job.id, job.status, job.stage, share, job.priority, created, error)
    show_table(table)


@app.command("show")
def show(job_id: _Id) -> None:
    """All that is known of a job, as JSON."""

    async def ask(store: JobStore) -> tuple[Job, bool]:
        job = await store.get(job_id)
        return job, await store.held_back(job)

    job, held_back = _run(ask)
    console.print_json(json.dumps(_document(job) | {"held_back_by_cap": held_back}))


@app.command("cancel")
def cancel(job_ids: Annotated[list[str], typer.Argument(help="Jobs.")]) -> None:
    """End jobs that have not ended, at whatever stage they are."""

    async def ask(store: JobStore) -> None:
        for job_id in job_ids:
            status = await store.cancel(job_id)
            console.print(f"{job_id} is {status}.", highlight=False)

    _run(ask)


@app.command("retry")
def retry(job_ids: Annotated[list[str], typer.Argument(help="Failed or cancelled jobs.")]) -> None:
    """Begin again with jobs that failed or were cancelled, at the stage where they were."""

    async def ask(store: JobStore) -> None:
        for job_id in job_ids:
            job = await store.revive(job_id)
            console.print(f"{job.id} is queued at {job.stage}.", highlight=False)

    _run(ask)


@app.command("cap")
def cap(
    tenant: Annotated[str | None, typer.Argument(help="Whose; without: show all caps.")] = None,
    most: Annotated[int | None, typer.Argument(help="Jobs at once; 0: any.", min=0)] = None,
) -> None:
    """How many jobs of a tenant are worked on at once. Without a number: as all others have it."""
    if tenant is not None:
        whose = tenant
        _run(lambda store: store.set_cap(whose, most))
    table = Table("tenant", "jobs at once", box=None)
    for name, count in _run(lambda store: store.caps()).items():
        table.add_row("all others" if name == "*" else name, str(count) if count else "any")
    show_table(table)


@app.command("dead")
def dead(
    stage: Annotated[str | None, typer.Option(help="Of one stage only.")] = None,
    code: Annotated[str | None, typer.Option(help="Of one reason only.")] = None,
    limit: Annotated[int, typer.Option(help="How many of each stage at most.", min=1)] = 100,
    again: Annotated[bool, typer.Option("--retry", help="Begin again with their jobs.")] = False,
) -> None:
    """Dead letters: messages that a stage gave up, and why; --retry replays them."""
    names = [_stage(stage)] if stage else [each.name for each in STAGES]

    async def ask(store: JobStore) -> list[tuple[str, DeadLetter]]:
        found: list[tuple[str, DeadLetter]] = []
        for name in names:
            letters = await store.dead_letters(name, _AT_ONCE)
            wanted = [letter for letter in letters if code in (None, letter.problem.code)]
            found += [(name, letter) for letter in wanted[:limit]]
        return found

    letters = _run(ask)
    table = Table("stage", "job", "tries", "when", "code", "reason", box=None)
    for name, letter in letters:
        reason = f"{letter.problem.detail} {letter.problem.remedy}".strip()
        when, tries = shown_time(letter.at_ms), str(letter.attempt)
        table.add_row(name, letter.job_id, tries, when, letter.problem.code, reason)
    show_table(table)
    if again:
        ids = {letter.job_id for _, letter in letters if letter.job_id}
        console.print(
            f"{_run(lambda store: _revived(store, ids))} jobs begin again.", highlight=False
        )


async def _revived(store: JobStore, job_ids: set[str]) -> int:
    count = 0
    for job_id in sorted(job_ids):
        try:
            await store.revive(job_id)
        except LipstreamError as error:
            console.print(f"{job_id}: {error}", highlight=False)
        else:
            count += 1
    return count


def _stage(name: str) -> str:
    try:
        return stage_named(name).name
    except KeyError:
        names = ", ".join(each.name for each in STAGES)
        raise typer.BadParameter(f"There is no stage {name!r}; there are {names}.") from None


def _document(job: Job) -> dict[str, object]:
    return {
        "id": job.id,
        "kind": job.kind,
        "tenant": job.tenant,
        "status": job.status,
        "stage": job.stage,
        "progress": job.progress,
        "priority": job.priority,
        "deadline": shown_time(job.deadline_ms) if job.deadline_ms else None,
        "created": shown_time(job.created_ms),
        "updated": shown_time(job.updated_ms),
        "attempts": dict(job.attempts),
        "parts": list(job.parts),
        "parts_left": job.parts_left,
        "params": dict(job.params),
        "outputs": dict(job.outputs),
        "results": dict(job.results),
        "warnings": list(job.warnings),
        "last_error": _as_json(job.last_error),
        "error": _as_json(job.error),
    }


def _as_json(problem: Problem | None) -> object:
    return json.loads(problem.encode()) if problem else None


def _run(ask: Callable[[JobStore], Awaitable[T]]) -> T:
    from lipstream.runtime.jobs import JobStore

    return ask_redis(lambda link, settings: ask(JobStore(link, ttl_s=settings.job_ttl_s)))

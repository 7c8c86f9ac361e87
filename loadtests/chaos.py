"""Does each job end once, with its result, whatever happens to the processes that work on it?

    python -m loadtests.chaos --jobs 1000 --json FILE

Starts a whole stack of real services with two render workers, asks for many short videos and a few
avatars by REST, and does harm all along: stages and the gateway are killed at random, all packets
between stages and Redis are dropped for eight seconds (where this process may have a network of its
own, and the models are not on a server, as LIPSTREAM_MODELS=triton://host:port has them), Redis is
killed once in the middle, a render worker is held still for longer than its work is waited for, the
motion stage is slowed down to a tenth, and the disk of the object store fills up (where this
process may mount one). At the end every job must have ended once: one result each, none lost, none
made twice.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from lipstream.avatar.create import create_avatar
from lipstream.gateway.avatars import avatar_job_id
from lipstream.pipeline import JobKind
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.jobs import JobStore
from lipstream.runtime.local_stack import STAGE_SERVICES, LocalStack, PythonService
from lipstream.runtime.object_store import open_store
from lipstream.runtime.redis_link import RedisLink
from lipstream.runtime.settings import Settings
from lipstream.wire.job import JobStatus
from lipstream.wire.streams import events_stream, job_key
from loadtests.avatars import hopper_photo
from loadtests.faults import Faults, SmallDisk
from loadtests.manifest import Figure, Manifest
from loadtests.own_network import enter_own_network

_AVATAR = "chaos"
_CONSENT = "A portrait in the public domain."
_FIT_EVERY = 250
"""One job of so many is a fit of an avatar."""
_SECOND_RENDERER = PythonService("render-2", "lipstream.render")
_SUBMITTERS = 8
_SETTINGS = {
    "LIPSTREAM_HEARTBEAT_S": "0.5",
    "LIPSTREAM_CLAIM_IDLE_S": "5",
    "LIPSTREAM_RETRY_BASE_S": "0.5",
    "LIPSTREAM_MAX_QUEUED_JOBS": "1000000",
}
_DISK_BYTES = 400_000_000


class _Caller:
    """Asks for videos until each is taken, and looks what became of them."""

    def __init__(self, stack: LocalStack, jobs: int) -> None:
        self._stack = stack
        self._wanted = jobs
        self.ids: set[str] = set()
        self._link = RedisLink(stack.redis_url, patience_s=120.0)

    async def submit(self) -> None:
        numbers = iter(range(self._wanted))
        async with httpx.AsyncClient(base_url=self._stack.url, trust_env=False) as http:
            await asyncio.gather(*(self._submit(http, numbers) for _ in range(_SUBMITTERS)))

    async def _submit(self, http: httpx.AsyncClient, numbers: Iterator[int]) -> None:
        for number in numbers:
            ask = self._fit if number % _FIT_EVERY == 0 else self._film
            while (job_id := await ask(http, number)) is None:
                await asyncio.sleep(0.2)
            self.ids.add(job_id)

    async def _film(self, http: httpx.AsyncClient, number: int) -> str | None:
        """Ask for a video; None where it was not taken now."""
        answer = await _posted(
            http,
            "/v1/videos",
            json={"avatar": _AVATAR, "text": "Hi.", "size": 64, "seed": number},
            headers={"Idempotency-Key": f"chaos {number}"},
        )
        return None if answer is None else str(answer.json()["id"])

    async def _fit(self, http: httpx.AsyncClient, number: int) -> str | None:
        """Ask for an avatar; a name that is taken was taken by an answer that was lost."""
        name = f"{_AVATAR}-{number}"
        photo = await asyncio.to_thread(hopper_photo().read_bytes)
        form = {"name": name, "consent": _CONSENT}
        answer = await _posted(http, "/v1/avatars", data=form, files={"photo": photo}, taken=409)
        return None if answer is None else avatar_job_id(name)

    async def statuses(self) -> dict[str, str]:
        ids = sorted(self.ids)

        async def ask() -> Any:
            pipe = self._link.client.pipeline(transaction=False)
            for job_id in ids:
                pipe.hget(job_key(job_id), "status")
            return await pipe.execute()

        return dict(zip(ids, await self._link.call(ask), strict=True))

    async def tell(self, lost: Iterable[str]) -> None:
        """Print what became of jobs that gave no result."""
        jobs = JobStore(self._link)
        for job_id in lost:
            job = await jobs.get(job_id)
            why = f"{job.error.code}: {job.error.detail}" if job.error else "no error"
            print(f"{job_id} is {job.status} at {job.stage} after {dict(job.attempts)}; {why}")

    async def duplicated(self) -> int:
        """Jobs that were made twice: that ended twice, or that nobody asked for."""
        count = 0
        client: Any = self._link.client
        for job_id in sorted(self.ids):
            events: Any = await self._link.call(partial(client.xrange, events_stream(job_id)))
            ends = [e for _, e in events if JobStatus(e["status"]).finished]
            count += len(ends) > 1
        known = await JobStore(self._link).list_jobs(JobKind.VIDEO, limit=10 * self._wanted)
        return count + len({job.id for job in known} - self.ids)

    async def without_file(self) -> list[str]:
        """Jobs that say they succeeded, and whose file cannot be had."""
        missing = []
        async with httpx.AsyncClient(base_url=self._stack.url, trust_env=False) as http:
            for job_id, status in (await self.statuses()).items():
                if status != JobStatus.SUCCEEDED:
                    continue
                name = job_id.removeprefix(avatar_job_id(""))
                fit = name != job_id
                path = f"/v1/avatars/{name}/preview" if fit else f"/v1/videos/{job_id}/file"
                answer = await http.head(path, timeout=30.0)
                if answer.status_code != 200 or int(answer.headers["content-length"]) < 1000:
                    missing.append(job_id)
        return missing

    async def close(self) -> None:
        await self._link.close()


async def _posted(
    http: httpx.AsyncClient, path: str, *, taken: int = 202, **order: Any
) -> httpx.Response | None:
    """The answer to an order, once it was taken; None where it has to be sent again."""
    try:
        answer = await http.post(path, timeout=60.0, **order)
    except httpx.TransportError:
        return None
    if answer.status_code in (202, taken):
        return answer
    if answer.status_code < 500 and answer.status_code != 409:
        raise SystemExit(f"a job was refused: {answer.text}")
    return None


async def _run(stack: LocalStack, faults: Faults, jobs: int, limit_s: float) -> list[Figure]:
    caller = _Caller(stack, jobs)
    began_s = time.monotonic()
    submitting = asyncio.create_task(caller.submit())
    done = 0
    try:
        while time.monotonic() - began_s < limit_s:
            await asyncio.sleep(1.0)
            statuses = await caller.statuses()
            done = sum(
                status is not None and JobStatus(status).finished for status in statuses.values()
            )
            print(f"\r{len(statuses)} asked for, {done} done, {faults.told}", end="", flush=True)
            if submitting.done():
                submitting.result()
                if done == jobs:
                    break
            await faults.step(done / jobs)
        print()
        await faults.end()
        wall_s = time.monotonic() - began_s
        statuses = await caller.statuses()
        missing = await caller.without_file()
        lost = [name for name, status in statuses.items() if status != JobStatus.SUCCEEDED]
        lost += missing
        await caller.tell(lost)
        return [
            Figure("submitted", len(caller.ids), goal=f"{jobs}"),
            Figure("completed", len(caller.ids) - len(lost), goal=f"{jobs}"),
            Figure("lost", len(lost), goal="0"),
            Figure("duplicated", await caller.duplicated(), goal="0"),
            Figure("wall_s", wall_s),
            *faults.figures(),
        ]
    finally:
        submitting.cancel()
        await caller.close()


@contextmanager
def _stack(folder: Path, objects: Path) -> Iterator[LocalStack]:
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    settings = Settings(data_dir=folder, store=str(objects))
    with LocalStack(settings, stages=(*STAGE_SERVICES, _SECOND_RENDERER)) as stack:
        yield stack


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--every", type=float, default=15.0, help="seconds between kills")
    parser.add_argument("--limit", type=float, default=3600.0, help="seconds until it gives up")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    # A model server of the user's is outside such a network.
    own_network = "LIPSTREAM_MODELS" not in os.environ and enter_own_network()
    with tempfile.TemporaryDirectory(prefix="lipstream-chaos-") as name:
        folder = Path(name)
        with SmallDisk(folder / "disk", _DISK_BYTES) as disk:
            objects = disk.folder / "objects"
            library = AvatarLibrary(open_store(str(objects)))
            create_avatar(library, _AVATAR, hopper_photo().read_bytes(), _CONSENT)
            with _stack(folder / "data", objects) as stack:
                rng = random.Random(options.seed)
                faults = Faults(stack, disk, options.every, rng, own_network=own_network)
                figures = asyncio.run(_run(stack, faults, options.jobs, options.limit))
    Manifest("chaos", {"jobs": options.jobs, "kill_every_s": options.every}).publish(
        figures, options.json, recovery_s=faults.recovery_s
    )


if __name__ == "__main__":
    main()

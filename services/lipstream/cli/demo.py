"""`lipstream demo`: the main job from end to end, through a local stack of real services."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from lipstream.cli.console import console, progress_bars
from lipstream.cli.output import check_output
from lipstream.errors import BadInput, Internal

__all__ = ["demo"]

SENTENCE = (
    "Hello! A moment ago I was only a photograph. Now I can say whatever you type, "
    "in more than a hundred languages, and it takes me about ten seconds."
)
_CONSENT = "Demonstration on this machine by the person who ran it."


def demo(
    photo: Annotated[
        Path | None, typer.Option(help="A portrait; by default a public-domain one.")
    ] = None,
    audio: Annotated[Path | None, typer.Option(help="Speech in any format.")] = None,
    text: Annotated[str | None, typer.Option(help="What to say instead.")] = None,
    voice: Annotated[str, typer.Option(help="Voice for --text: lipstream voices.")] = "en-us",
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the video goes.")] = Path(
        "demo.mp4"
    ),
) -> None:
    """Make a photo speak, through every service of a local stack.

    Starts Redis, the stages and the gateway on free ports, sends the photo and the words over
    REST as a product backend would, and stops everything again.
    """
    if audio is not None and text is not None:
        raise BadInput("--audio and --text exclude each other.", remedy="Give one of them.")
    from lipstream.cli.rest_client import RestClient
    from lipstream.cli.stack import local_stack

    check_output(out, ".mp4")
    picture = _existing(photo, "--photo") if photo else _bundled_portrait()
    speech = _existing(audio, "--audio") if audio else None
    began = time.monotonic()
    with progress_bars() as bars:
        start = bars.add_task("start the stack", total=1.0, note="")
        with local_stack() as stack, RestClient(stack.url) as client:
            bars.update(start, completed=1.0, note=stack.url)
            name = "demo-" + hashlib.sha256(picture.read_bytes()).hexdigest()[:12]
            known = client.avatar(name)
            if known is None or known["status"] != "ready":
                client.create_avatar(name, picture, _CONSENT)
                _follow(bars, "fit the avatar", client.events(f"/v1/avatars/{name}/events"))
            video = client.create_video(
                name,
                audio=speech,
                text=None if speech else (text or SENTENCE),
                voice=None if speech else voice,
            )
            _follow(bars, "make the video", client.events(f"/v1/videos/{video['id']}/events"))
            client.download(f"/v1/videos/{video['id']}/file", out)
    console.print(f"Wrote {out.resolve()} in {time.monotonic() - began:.1f} s", highlight=False)


def _follow(bars: Progress, title: str, events: Any) -> None:
    """Show a job's events as a bar until the job ends.

    Raises:
        LipstreamError: the job failed, with its reason.
    """
    task = bars.add_task(title, total=1.0, note="")
    for event in events:
        bars.update(task, completed=event["progress"], note=event.get("stage") or "")
        if event["status"] == "failed":
            problem = event["error"]
            raise BadInput(
                problem["detail"], remedy=problem.get("remedy", ""), code=problem["code"]
            )
        if event["status"] == "succeeded":
            bars.update(task, completed=1.0, note="")
            return
    raise Internal("The events of the job ended before the job did.")


def _existing(path: Path, option: str) -> Path:
    if not path.is_file():
        raise BadInput(f"{option}: there is no file {path}.")
    return path


def _bundled_portrait() -> Path:
    """Rear Admiral Grace Hopper, a photo of the US Navy in the public domain."""
    from matplotlib import cbook

    return Path(str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))

"""`lipstream evaluate video`: do the lips that are seen say what is heard."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from lipstream.errors import BadInput
from lipstream.evaluation.video.clips import Clip, find_clips, naming
from lipstream.evaluation.video.mouth import Seer, watch
from lipstream.evaluation.video.pictures import pictures
from lipstream.evaluation.video.report import (
    as_json,
    figures_table,
    separation_table,
    sight_line,
    swap_line,
)
from lipstream.evaluation.video.separation import SWAPPED, separate
from lipstream.evaluation.video.sight import Sight
from lipstream.motion.generators import DEFAULT_GENERATOR

__all__ = ["video"]

_console = Console(soft_wrap=True)
_error_console = Console(stderr=True)
_SHIFTS_MS = (-400, -200, 200, 400)
_MOTION = "motion"


def video(
    paths: Annotated[
        list[Path],
        typer.Argument(
            help="Videos, or folders of them: with phone labels or .txt beside, "
            "or a transcripts.csv. With --render, sound files too."
        ),
    ],
    text: Annotated[str | None, typer.Option(help="What is said in the one file.")] = None,
    labels: Annotated[
        Path | None, typer.Option(help="Its phone labels: TextGrid, HTS .lab, .json.")
    ] = None,
    render: Annotated[
        bool, typer.Option("--render", help="Render the speech, and look at that too.")
    ] = False,
    avatar: Annotated[
        str | None, typer.Option(help="Name or photo; default: the demo's portrait.")
    ] = None,
    generator: Annotated[
        list[str] | None, typer.Option(help="Repeatable: baseline, streaming_talker.")
    ] = None,
    look_ahead_ms: Annotated[list[int] | None, typer.Option(help="Repeatable.")] = None,
    size: Annotated[int, typer.Option(help="Of rendered videos, px.")] = 512,
    fps: Annotated[float, typer.Option(help="Of rendered videos.")] = 25.0,
    shift_ms: Annotated[
        list[int] | None,
        typer.Option(help="Also move the speech; repeatable. By itself 200 and 400 both ways."),
    ] = None,
    swap: Annotated[
        bool | None, typer.Option(help="Also try other clips' speech; by itself from two clips on.")
    ] = None,
    keep: Annotated[Path | None, typer.Option(help="Folder for the rendered videos.")] = None,
    draw: Annotated[
        Path | None, typer.Option(help="Folder for sheets of mouths with what was found.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures.")] = None,
) -> None:
    """Do the lips that are seen in a video say what is heard?

    Lips are found in each frame and held against the video's own speech, that speech moved in
    time, and that of other clips. What is in time scores far better on its own.
    """
    from lipstream.avatar.detector import FaceDetector

    if json_file is not None and not json_file.resolve().parent.is_dir():
        raise BadInput(f"--json: the folder {json_file.resolve().parent} does not exist.")
    clips = find_clips(paths, text=text, labels=labels)
    silent = [clip for clip in clips if clip.video is None]
    if silent and not render:
        raise BadInput(
            f"{silent[0].speech.name} has no pictures.", remedy="Add --render to make some."
        )
    sights: dict[str, list[Sight]] = {}
    with FaceDetector() as seer, tempfile.TemporaryDirectory(prefix="lipstream-video-") as folder:
        filmed = [clip for clip in clips if clip.video is not None]
        if filmed:
            sights["video"] = _watched(filmed, seer, draw)
        if render:
            sights |= _rendered(
                clips,
                seer,
                avatar,
                [(g, ms) for g in generator or [DEFAULT_GENERATOR] for ms in look_ahead_ms or [80]],
                (size, fps),
                keep or Path(folder),
                draw,
            )
    with_swap = len(clips) > 1 if swap is None else swap
    shifts_ms = _SHIFTS_MS if shift_ms is None else shift_ms
    found = {name: separate(seen, shifts_ms, swap=with_swap) for name, seen in sights.items()}
    for name, result in found.items():
        if result.controls:
            _console.print(separation_table(name, result))
        if SWAPPED in result.controls:
            _console.print(swap_line(result), highlight=False)
    if len(found) > 1 or not any(result.controls for result in found.values()):
        _console.print(figures_table({name: result.true for name, result in found.items()}))
    for name, seen in sights.items():
        if not name.endswith(_MOTION):
            _console.print(sight_line(name, seen), highlight=False)
    if json_file is not None:
        json_file.write_text(json.dumps(as_json(sights, found), indent=2))


def _watched(clips: Sequence[Clip], seer: Seer, draw: Path | None) -> list[Sight]:
    seen = []
    with _progress("look", len(clips)) as step:
        for clip in clips:
            if clip.video is not None:
                seen.append(_look(clip.video, clip, seer, draw))
            step()
    return seen


def _look(path: Path, clip: Clip, seer: Seer, draw: Path | None) -> Sight:
    with naming(path):
        sight = Sight.of_video(watch(pictures(path), seer), clip.speech)
        if draw is not None:
            from lipstream.evaluation.video.lip_sheet import draw_lips

            draw.mkdir(parents=True, exist_ok=True)
            draw_lips(path, clip.speech, seer).save(draw / f"{path.stem}.png")
    return sight


def _rendered(
    clips: Sequence[Clip],
    seer: Seer,
    avatar: str | None,
    generators: Sequence[tuple[str, int]],
    picture: tuple[int, float],
    folder: Path,
    draw: Path | None,
) -> dict[str, list[Sight]]:
    """By generator: what is seen in its videos, and what its motion says."""
    from lipstream.audio.encoder import SpeechEncoder
    from lipstream.evaluation.video.performance import Stage, perform
    from lipstream.evaluation.video.sitter import open_sitter
    from lipstream.motion.generators import open_generator

    encoder = SpeechEncoder()
    opened = {f"{g} {ms} ms": open_generator(g, look_ahead_ms=ms) for g, ms in generators}
    model = open_sitter(avatar)
    folder.mkdir(parents=True, exist_ok=True)
    sights: dict[str, list[Sight]] = {}
    for name, generator in opened.items():
        stage = Stage(model, encoder, generator, *picture)
        seen, meant = [], []
        with _progress(name, len(clips)) as step:
            for clip in clips:
                path = folder / f"{clip.speech.name}-{name.replace(' ', '-')}.mp4"
                meant.append(Sight.of_motion(perform(stage, clip.speech, path), clip.speech))
                seen.append(_look(path, clip, seer, draw))
                step()
        sights[f"{name}, video"] = seen
        sights[f"{name}, {_MOTION}"] = meant
    return sights


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[], None]]:
    with Progress(console=_error_console, transient=True) as bars:
        task = bars.add_task(what, total=total)
        yield lambda: bars.advance(task)

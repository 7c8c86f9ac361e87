"""`lipstream avatar`: create, list, show, delete."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from lipstream.cli.console import console, progress_bars

if TYPE_CHECKING:
    from lipstream.face.bundle import Manifest

__all__ = ["app"]

app = typer.Typer(
    help="Avatars: create from a photo or a video, list, show, delete.", no_args_is_help=True
)

_Name = Annotated[str, typer.Argument(help="The avatar's name.")]


@app.command("create")
def create(
    source: Annotated[
        Path,
        typer.Argument(help="A portrait (JPEG, PNG, WebP), or a video of one person, 3 s to 5 min"),
    ],
    name: Annotated[str, typer.Option("--name", "-n", help="a-z, 0-9, '-' and '_'.")],
    consent: Annotated[
        str,
        typer.Option(help="Who allows this face to be used, and how; kept in the avatar."),
    ] = "Given on the command line by the user of this machine.",
    replace: Annotated[bool, typer.Option(help="Replace an avatar of that name.")] = False,
) -> None:
    """Make an avatar from a photo of a face, seen from the front, with a closed mouth.

    From a video of somebody who speaks it becomes more like them, and takes minutes. One that is
    stopped goes on where it was when the same command is given again.
    """
    from lipstream.avatar.create import create_avatar
    from lipstream.avatar.photo import MAX_PHOTO_BYTES
    from lipstream.avatar.video import is_video
    from lipstream.cli.library import open_library, read_file
    from lipstream.errors import Conflict, NotFound
    from lipstream.wire.objects import checked_avatar_id

    library = open_library()
    checked_avatar_id(name)
    try:
        library.entry(name)
    except NotFound:
        pass
    else:
        if not replace:
            raise Conflict(
                f"There is an avatar {name!r} already.",
                remedy="Choose another name, or replace it with --replace.",
            )
    data = source if is_video(source) else read_file(source, "The photo", MAX_PHOTO_BYTES)
    with progress_bars() as bars:
        task = bars.add_task("fit the avatar", total=1.0, note="")
        manifest = create_avatar(
            library,
            name,
            data,
            consent,
            progress=lambda done, step: bars.update(task, completed=done, note=step),
        )
    for note in manifest.warnings:
        console.print(f"note: {note.message}", highlight=False)
    console.print(
        f"Created {name!r}: {manifest.rig.gaussians} Gaussians, "
        f"{manifest.quality['face_psnr_db']:.1f} dB on {_judged(manifest)}.\n"
        f"Try it: lipstream render --avatar {name} --text 'Hello!' -o hello.mp4",
        highlight=False,
    )


def _judged(manifest: Manifest) -> str:
    if manifest.source.kind != "video":
        return "the photo's face"
    alone = manifest.quality["photo_face_psnr_db"]
    return f"the face in frames held out of the fit, where one photo's avatar has {alone:.1f} dB"


@app.command("list")
def list_avatars(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with everything.")] = False,
) -> None:
    """All avatars on this machine."""
    from lipstream.cli.library import open_library

    entries = open_library().entries()
    if as_json:
        print(json.dumps([entry.manifest for entry in entries], indent=1))
        return
    if not entries:
        console.print("There are no avatars yet: lipstream avatar create PHOTO --name NAME")
        return
    table = Table("name", "created", "Gaussians", "face PSNR", box=None)
    for entry in entries:
        manifest = entry.manifest
        try:
            facts = (
                str(manifest["created"]),
                str(manifest["rig"]["gaussians"]),
                f"{manifest['quality'].get('face_psnr_db', 0):.1f} dB",
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            facts = ("made by another version", "", "")
        table.add_row(entry.id, *facts)
    console.print(table)


@app.command("show")
def show(
    name: _Name,
    preview: Annotated[
        Path | None, typer.Option(help="Also write the avatar's preview picture here (PNG).")
    ] = None,
) -> None:
    """An avatar's papers as JSON: source, consent, quality, warnings."""
    from lipstream.cli.library import open_library

    library = open_library()
    print(json.dumps(library.entry(name).manifest, indent=1))
    if preview is not None:
        preview.write_bytes(library.preview(name))


@app.command("delete")
def delete(name: _Name) -> None:
    """Delete an avatar."""
    from lipstream.cli.library import open_library

    open_library().remove(name)
    console.print(f"Deleted {name!r}.", highlight=False)

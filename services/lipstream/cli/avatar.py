"""`lipstream avatar`: create, list, show, delete."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from lipstream.cli.console import console, progress_bars

__all__ = ["app"]

app = typer.Typer(help="Avatars: create from a photo, list, show, delete.", no_args_is_help=True)

_Name = Annotated[str, typer.Argument(help="The avatar's name.")]


@app.command("create")
def create(
    photo: Annotated[Path, typer.Argument(help="A portrait: JPEG, PNG or WebP.")],
    name: Annotated[str, typer.Option("--name", "-n", help="a-z, 0-9, '-' and '_'.")],
    consent: Annotated[
        str,
        typer.Option(help="Who allows this face to be used, and how; kept in the avatar."),
    ] = "Given on the command line by the user of this machine.",
    replace: Annotated[bool, typer.Option(help="Replace an avatar of that name.")] = False,
) -> None:
    """Make an avatar from a photo of a face, seen from the front, with a closed mouth."""
    from lipstream.avatar.create import create_avatar
    from lipstream.avatar.photo import MAX_PHOTO_BYTES
    from lipstream.cli.library import open_library, read_file
    from lipstream.cli.refusal import refusal_shown
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
    data = read_file(photo, "The photo", MAX_PHOTO_BYTES)
    with progress_bars() as bars:
        task = bars.add_task("fit the avatar", total=1.0, note="")
        with refusal_shown(bars, name):
            manifest = create_avatar(
                library,
                name,
                data,
                consent,
                progress=lambda done, step: bars.update(task, completed=done, note=step),
            )
    for note in manifest.warnings:
        console.print(f"note: {note.message} {note.remedy}".strip(), highlight=False)
    console.print(
        f"Created {name!r}: {manifest.rig.gaussians} Gaussians, "
        f"{manifest.quality['face_psnr_db']:.1f} dB on the photo's face.\n"
        f"Try it: lipstream render --avatar {name} --text 'Hello!' -o hello.mp4",
        highlight=False,
    )


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
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with everything.")] = False,
    preview: Annotated[
        Path | None, typer.Option(help="Also write the avatar's preview picture here (PNG).")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Also write its visemes, side by side, here (PNG).")
    ] = None,
) -> None:
    """An avatar's papers: source, consent, quality report, warnings."""
    from lipstream.cli.avatar_report import papers_shown
    from lipstream.cli.library import open_library

    library = open_library()
    manifest = library.entry(name).manifest
    if as_json:
        print(json.dumps(manifest, indent=1))
    else:
        console.print(papers_shown(manifest), highlight=False)
    if preview is not None:
        preview.write_bytes(library.preview(name))
    if sheet is not None:
        sheet.write_bytes(library.sheet(name))


@app.command("delete")
def delete(name: _Name) -> None:
    """Delete an avatar."""
    from lipstream.cli.library import open_library

    open_library().remove(name)
    console.print(f"Deleted {name!r}.", highlight=False)

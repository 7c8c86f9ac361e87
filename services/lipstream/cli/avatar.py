"""`lipstream avatar`: create, import, list, show, export, delete."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from lipstream.cli.console import console, progress_bars

if TYPE_CHECKING:
    from lipstream.face.bundle import Manifest
    from lipstream.runtime.avatar_library import AvatarLibrary

__all__ = ["app"]

app = typer.Typer(
    help="Avatars: create from a photo or a video, import, list, show, export, delete.",
    no_args_is_help=True,
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
    ],
    replace: Annotated[bool, typer.Option(help="Replace an avatar of that name.")] = False,
) -> None:
    """Make an avatar from a photo of a face, seen from the front, with a closed mouth.

    From a video of somebody who speaks it becomes more like them, and takes minutes. One that is
    stopped goes on where it was when the same command is given again.
    """
    from lipstream.avatar.create import create_avatar
    from lipstream.avatar.photo import MAX_PHOTO_BYTES
    from lipstream.avatar.video.footage import is_video
    from lipstream.cli.library import open_library, read_file
    from lipstream.cli.refusal import refusal_shown

    library = open_library()
    _check_name(library, name, replace)
    data = source if is_video(source) else read_file(source, "The photo", MAX_PHOTO_BYTES)
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
        f"{manifest.quality['face_psnr_db']:.1f} dB on {_judged(manifest)}.\n"
        f"Try it: lipstream render --avatar {name} --text 'Hello!' -o hello.mp4",
        highlight=False,
    )


@app.command("import")
def import_avatar(
    folder: Annotated[
        Path, typer.Argument(help="With point_cloud.ply and flame_param.npz of a GaussianAvatar.")
    ],
    name: Annotated[str, typer.Option("--name", "-n", help="a-z, 0-9, '-' and '_'.")],
    flame: Annotated[Path, typer.Option(help="Your FLAME model's arrays, .npz.")],
    consent: Annotated[
        str,
        typer.Option(help="Who allows this face to be used, and how; kept in the avatar."),
    ],
    licence: Annotated[str, typer.Option(help="Under which it may be used; kept too.")] = "",
    expressions: Annotated[
        Path | None,
        typer.Option(help="CSV of arkit,expression,weight; without it only jaw and eyes move."),
    ] = None,
    replace: Annotated[bool, typer.Option(help="Replace an avatar of that name.")] = False,
) -> None:
    """Take an avatar of GaussianAvatars, rigged on FLAME, for owners of a FLAME licence.

    The rig is an approximation of theirs; no pickle is read.
    """
    from lipstream.avatar.imports import import_gaussian_avatar
    from lipstream.cli.library import open_library

    library = open_library()
    _check_name(library, name, replace)
    manifest = import_gaussian_avatar(
        library, name, folder, flame, consent, license=licence, expressions=expressions
    )
    for note in manifest.warnings:
        console.print(f"note: {note.message}", highlight=False)
    console.print(f"Imported {name!r}: {manifest.rig.gaussians} Gaussians.", highlight=False)


def _check_name(library: AvatarLibrary, name: str, replace: bool) -> None:
    """
    Raises:
        Conflict: an avatar has that name, and is not to be replaced.
    """
    from lipstream.errors import Conflict, NotFound
    from lipstream.wire.objects import checked_avatar_id

    checked_avatar_id(name)
    try:
        library.entry(name)
    except NotFound:
        return
    if not replace:
        raise Conflict(
            f"There is an avatar {name!r} already.",
            remedy="Choose another name, or replace it with --replace.",
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
        console.print(
            "There are no avatars yet: lipstream avatar create PHOTO --name NAME --consent WORDS"
        )
        return
    table = Table("name", "created", "Gaussians", "face PSNR", box=None)
    for entry in entries:
        manifest = entry.manifest
        try:
            psnr_db = manifest["quality"].get("face_psnr_db")
            facts = (
                str(manifest["created"]),
                str(manifest["rig"]["gaussians"]),
                f"{psnr_db:.1f} dB" if psnr_db is not None else "",
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


@app.command("export")
def export(
    name: _Name,
    out: Annotated[Path, typer.Option("--out", "-o", help="FILE.ply, FILE.glb or FILE.splats.")],
    motion: Annotated[
        Path | None,
        typer.Option(help="What the face does: Live Link Face CSV, JSON or npz. Default: rest."),
    ] = None,
    frame: Annotated[
        int | None, typer.Option(min=0, help="Which frame of the motion a .ply shows; default 0.")
    ] = None,
) -> None:
    """Write an avatar for other programs, by the file's ending.

    .ply: Gaussians of one pose, for splat viewers. .glb: a textured mesh with ARKit's morph
    targets and, with a motion, its animation. (A motion alone as CSV: lipstream motion.)
    """
    from lipstream.avatar.exports import ExportFormat, export_avatar
    from lipstream.cli.library import open_library
    from lipstream.cli.output import check_output, size_text
    from lipstream.errors import BadInput
    from lipstream.face.motion_file import load_motion

    check_output(out, *(f".{form}" for form in ExportFormat))
    if not out.suffix:
        raise BadInput(
            f"{out.name} does not end in .ply, .glb or .splats.", remedy="Choose another name."
        )
    form = ExportFormat(out.suffix.lower()[1:])
    if frame is not None and (motion is None or form is not ExportFormat.PLY):
        raise BadInput("--frame is for a .ply with --motion; a .glb has all frames.")
    library = open_library()
    with tempfile.TemporaryDirectory(prefix="lipstream-avatar-") as folder:
        path = Path(folder) / "bundle.zip"
        library.fetch(name, path)
        shown = None if motion is None else load_motion(motion)
        data = export_avatar(path, form, shown, frame or 0)
    out.write_bytes(data)
    console.print(f"Wrote {out}: {size_text(len(data))}", highlight=False)


@app.command("delete")
def delete(name: _Name) -> None:
    """Delete an avatar."""
    from lipstream.cli.library import open_library

    open_library().remove(name)
    console.print(f"Deleted {name!r}.", highlight=False)

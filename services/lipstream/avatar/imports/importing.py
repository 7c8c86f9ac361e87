"""From a folder of GaussianAvatars to a finished avatar in the library."""

from __future__ import annotations

import hashlib
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from lipstream.avatar.imports.arkit_flame import read_expressions
from lipstream.avatar.imports.files import read_arrays
from lipstream.avatar.imports.flame import FlameModel
from lipstream.avatar.imports.gaussian_avatar import read_gaussians
from lipstream.avatar.imports.rigging import rig_gaussians
from lipstream.errors import BadInput, TooLarge
from lipstream.face.bundle import (
    Consent,
    Manifest,
    Note,
    Source,
    load,
    new_bundle,
    read_preview,
    save,
)
from lipstream.face.motion import Motion
from lipstream.render import Layout, View, open_renderer
from lipstream.runtime.avatar_library import AvatarLibrary

__all__ = ["import_gaussian_avatar"]

_PREVIEW_PX = 512
_APPROXIMATE = Note(
    "approximate_rig",
    "FLAME's expressions are driven through a linear map; colours do not change with the view.",
)
_NO_EXPRESSIONS = Note(
    "no_expressions", "Only jaw and eyes move; a table of expressions moves lips, brows and lids."
)


def import_gaussian_avatar(
    library: AvatarLibrary,
    avatar_id: str,
    folder: Path,
    flame: Path,
    consent: str,
    *,
    license: str = "",
    expressions: Path | None = None,
) -> Manifest:
    """Rig an avatar anew and add it to the library, in place of one of the same id.

    Args:
        folder: with `point_cloud.ply` and `flame_param.npz`.
        flame: the FLAME model that the avatar was trained with, as .npz.
        consent: who allows this face to be used, and how.
        license: under which the avatar may be used.
        expressions: see `arkit_flame`.

    Returns:
        The avatar's papers.

    Raises:
        NotFound: a file is not there.
        BadInput: a file is not what it should be, or they do not belong together.
        TooLarge: the avatar does not fit into a bundle.
        Unavailable: the library cannot be written.
    """
    cloud = folder / "point_cloud.ply"
    model = FlameModel.read(flame)
    head = model.head(read_arrays(folder / "flame_param.npz", ("shape", "static_offset")))
    everything = read_gaussians(cloud)
    gaussians = everything.below(len(model.faces))
    if not len(gaussians):
        raise BadInput(
            "None of the Gaussians can be seen on the faces of this FLAME model.",
            remedy="Use the FLAME model that the avatar was trained with.",
        )
    mapped = read_expressions(expressions) if expressions is not None else {}
    warnings = [_APPROXIMATE, *([] if mapped else [_NO_EXPRESSIONS])]
    if outside := int((everything.faces >= len(model.faces)).sum()):
        warnings.append(
            Note(
                "faces_outside",
                f"{outside} Gaussians are left out: their faces, such as teeth that were added to "
                "FLAME, are not in the model that was given.",
            )
        )
    rigged = rig_gaussians(gaussians, head, mapped)
    renderer = open_renderer(rigged, View(_PREVIEW_PX))
    now = datetime.now(UTC).isoformat(timespec="seconds")
    bundle = new_bundle(
        avatar_id,
        rigged,
        renderer.picture(renderer.pose(Motion.rest(1)), Layout.RGB),
        Source("gaussian_avatar", hashlib.sha256(cloud.read_bytes()).hexdigest(), 0, 0),
        consent=Consent(consent, "the person who imported the avatar", now),
        license=license,
        warnings=warnings,
    )
    with tempfile.TemporaryDirectory(prefix="lipstream-avatar-") as scratch:
        path = Path(scratch) / "bundle.zip"
        manifest = save(bundle, path)
        try:
            load(path)
        except TooLarge:
            raise TooLarge(
                f"The avatar's {len(gaussians)} Gaussians and {len(mapped)} mapped expressions do "
                "not fit into a bundle.",
                remedy="Prune the Gaussians (100000 fit with jaw and eyes alone), or map fewer.",
            ) from None
        library.add(avatar_id, path, manifest.to_json(), read_preview(path))
    return manifest

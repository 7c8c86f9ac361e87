"""The avatar that is rendered to be looked at."""

from __future__ import annotations

import tempfile
from pathlib import Path

from lipstream.avatar.create import create_avatar
from lipstream.errors import BadInput, NotFound
from lipstream.render import Drawable
from lipstream.render.avatar_shelf import AvatarShelf
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.object_store import open_store
from lipstream.runtime.settings import load_settings

__all__ = ["open_sitter"]

_CONSENT = "Given on the command line by the user of this machine, for a measurement."


def open_sitter(avatar: str | None = None) -> Drawable:
    """An avatar of the library by its name, or one of a photo, made for this once.

    Args:
        avatar: a name, or a photo's path; None takes the public-domain portrait of the demo.

    Raises:
        NotFound: there is neither an avatar nor a photo of that name.
        BadInput: the photo cannot be used.
    """
    photo = Path(avatar) if avatar is not None else _bundled_portrait()
    if photo.is_file():
        with tempfile.TemporaryDirectory(prefix="lipstream-sitter-") as folder:
            library = AvatarLibrary(open_store(folder))
            create_avatar(library, "sitter", photo.read_bytes(), _CONSENT)
            return AvatarShelf(library).model("sitter")
    try:
        return AvatarShelf(AvatarLibrary(open_store(load_settings().store_url))).model(str(avatar))
    except (BadInput, NotFound) as error:
        if error.code not in ("bad_name", "not_found"):
            raise
        raise NotFound(
            f"There is neither an avatar nor a photo {avatar!r}.",
            remedy="See: lipstream avatar list",
        ) from None


def _bundled_portrait() -> Path:
    """Rear Admiral Grace Hopper, a photo of the US Navy in the public domain."""
    from matplotlib import cbook

    return Path(str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))

"""Names of avatars: slugs, since they become file names, object keys and parts of URLs."""

from __future__ import annotations

import re

from lipstream.errors import BadInput

__all__ = ["MAX_NAME_LENGTH", "validate_avatar_name"]

MAX_NAME_LENGTH = 63
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def validate_avatar_name(name: str) -> str:
    """The name itself, if it can name an avatar.

    Raises:
        BadInput: it is empty, too long, or holds anything but a-z, 0-9, `-` and `_`.
    """
    if not isinstance(name, str) or _SLUG.fullmatch(name) is None:
        shown = repr(name if len(str(name)) <= 40 else str(name)[:40] + "...")
        raise BadInput(
            f"{shown} cannot name an avatar.",
            remedy=(
                f"Use 1 to {MAX_NAME_LENGTH} of the characters a-z, 0-9, - and _, "
                "starting with a letter or a digit."
            ),
            code="bad_name",
        )
    return name

"""Avatars made by other programs, rigged anew for ours."""

from lipstream.avatar.imports.importing import import_gaussian_avatar

__all__ = ["import_gaussian_avatar"]

"""Avatars for other programs: Gaussians as .ply, a morphing head as .glb, .splats for browsers."""

from lipstream.avatar.exports.export import ExportFormat, export_avatar
from lipstream.avatar.exports.stored import store_export

__all__ = ["ExportFormat", "export_avatar", "store_export"]

"""Avatars as files of other programs: Gaussians as .ply, a morphing head as .glb."""

from lipstream.avatar.exports.export import ExportFormat, export_avatar

__all__ = ["ExportFormat", "export_avatar"]

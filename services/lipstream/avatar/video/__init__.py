"""Avatars from a video: read, followed, and fitted over its frames."""

from lipstream.avatar.video.checkpoint import Checkpoint
from lipstream.avatar.video.fit import VideoFit, fit_video
from lipstream.avatar.video.footage import is_video

__all__ = ["Checkpoint", "VideoFit", "fit_video", "is_video"]

"""What live sessions of the benchmarks talk with: an avatar, and something to say."""

from __future__ import annotations

from lipstream.audio import resample, synthesize
from lipstream.runtime.avatar_library import AvatarLibrary
from lipstream.runtime.object_store import open_store
from lipstream.runtime.settings import Settings
from loadtests.avatars import hopper_photo

__all__ = ["AVATAR", "SPOKEN_RATE_HZ", "TEXT", "add_avatar", "spoken"]

AVATAR = "hopper"
SPOKEN_RATE_HZ = 24_000
TEXT = (
    "Bob put a maple table by the map, and Mary baked a pumpkin pie. "
    "We have five views of the moon over the blue pool."
)


def spoken() -> bytes:
    """What sessions say: 16-bit PCM."""
    speech = synthesize(TEXT)
    samples = resample(speech.samples, speech.rate_hz, SPOKEN_RATE_HZ)
    return (samples.clip(-1, 1) * 32767).astype("<i2").tobytes()


def add_avatar(settings: Settings) -> AvatarLibrary:
    """Make the avatar of all sessions, in the library of these settings."""
    from lipstream.avatar.create import create_avatar

    library = AvatarLibrary(open_store(settings.store_url))
    create_avatar(library, AVATAR, hopper_photo().read_bytes(), "Public domain.")
    return library

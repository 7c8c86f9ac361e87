"""The avatar bundle: one zip with a versioned manifest, the model, the plate and pictures of it.

manifest.json   who, from what, with whose leave, how good; checksums of the rest
model.npz       the arrays of `AvatarModel`
plate.png       background and torso
preview.png     the avatar at rest
sheet.png       its visemes, a blink, a smile and a turn side by side; not in every bundle
"""

from lipstream.face.bundle.archive import MAX_BUNDLE_BYTES
from lipstream.face.bundle.bundle import (
    AvatarBundle,
    load,
    new_bundle,
    read_manifest,
    read_preview,
    save,
)
from lipstream.face.bundle.manifest import VERSION, Consent, Manifest, Note, RigInfo, Source
from lipstream.face.bundle.pictures import pack_picture

__all__ = [
    "MAX_BUNDLE_BYTES",
    "VERSION",
    "AvatarBundle",
    "Consent",
    "Manifest",
    "Note",
    "RigInfo",
    "Source",
    "load",
    "new_bundle",
    "pack_picture",
    "read_manifest",
    "read_preview",
    "save",
]

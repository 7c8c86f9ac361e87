"""The avatar that benchmarks draw: a given bundle, or one fitted to a public-domain photo."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from lipstream.face.bundle import AvatarBundle, Source, load, new_bundle, save

__all__ = ["hopper_photo", "load_or_fit"]


def load_or_fit(bundle: Path | None) -> AvatarBundle:
    """Load the bundle, or fit Grace Hopper's portrait that comes with matplotlib.

    The fit runs in a process of its own, so that its memory does not count as the benchmark's.
    """
    if bundle is not None:
        return load(bundle)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hopper.zip"
        subprocess.run([sys.executable, "-m", __name__, str(path)], check=True)
        return load(path)


def hopper_photo() -> Path:
    """A portrait in the public domain."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


def _fit(path: Path) -> None:
    from lipstream.avatar.fit import fit_photo
    from lipstream.avatar.photo import load_photo

    fitted = fit_photo(load_photo(hopper_photo()))
    source = Source(kind="photo", sha256="", width=512, height=600)
    save(new_bundle("hopper", fitted.model, fitted.preview, source), path)


if __name__ == "__main__":
    _fit(Path(sys.argv[1]))

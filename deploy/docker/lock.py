"""Writes requirements/*.txt: every package of an image, pinned with the hash of its wheel.

Run it with the image's Python (3.11, x86-64) and a pip that knows no index but PyPI. What is
pinned already stays as it is; delete a file to take newer versions.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = Path(__file__).resolve().parent / "requirements"
IMAGES = {
    "gateway": "gateway,tracing",
    "cpu": "audio,motion,render,avatar,cluster,tracing,provenance",
}
# What `pip install --no-deps` adds: see the extra `avatar` in pyproject.toml.
APART = {"cpu": ("mediapipe==0.10.21",)}


def main() -> None:
    for image, extras in IMAGES.items():
        target = REQUIREMENTS / f"{image}.txt"
        kept = (
            [line.partition(" --hash")[0] for line in target.read_text().splitlines()]
            if target.is_file()
            else []
        )
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints:
            constraints.write("\n".join(kept))
            constraints.flush()
            lines = _pins(f"{ROOT}[{extras}]", "--constraint", constraints.name)
        for requirement in APART.get(image, ()):
            lines += _pins(requirement, "--no-deps")
        text = "# Written by deploy/docker/lock.py.\n" + "\n".join(sorted(lines)) + "\n"
        target.write_text(text)


def _pins(requirement: str, *options: str) -> list[str]:
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"]
    command += ["--quiet", "--only-binary=:all:", "--report=-", *options, requirement]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    pins = []
    for item in json.loads(done.stdout)["install"]:
        name, version = item["metadata"]["name"], item["metadata"]["version"]
        if name != "lipstream":
            digest = item["download_info"]["archive_info"]["hashes"]["sha256"]
            pins.append(f"{name.lower()}=={version} --hash=sha256:{digest}")
    return pins


if __name__ == "__main__":
    main()

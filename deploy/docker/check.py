"""Builds the images and makes a video with them, in containers as a cluster would run them.

    python deploy/docker/check.py BASE PHOTO [--json FILE]

BASE is an image of Debian 12; where no registry can be reached, one of debootstrap's:

    debootstrap --variant=minbase --include=ca-certificates bookworm base
    buildah add $(buildah from scratch) base / && buildah commit ... lipstream-base

Needs root, buildah, podman, runc and a redis-server. Every container runs as user 10001 on a
read-only disk without capabilities.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import httpx

from lipstream.pipeline import STAGES
from lipstream.runtime.local_stack import free_ports
from lipstream.runtime.redis_server import find_redis_server, redis_answers, redis_command

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ("gateway", "cpu")
CERTIFICATES = "/etc/ssl/certs:/etc/ssl/certs:ro"
PODMAN = [
    "podman",
    "--storage-driver",
    "overlay",
    "--cgroup-manager",
    "cgroupfs",
    "--runtime",
    "/usr/sbin/runc",
]
# Bounds of its own: the engine's may be above what this machine lets it set.
LIMITS = ["--ulimit=nofile=4096:4096", "--ulimit=nproc=4096:4096"]
RUN = ["run", "--detach", *LIMITS, "--no-healthcheck", "--network=host", "--pull=never"]
HARDENED = [
    "--read-only",
    "--tmpfs=/tmp",
    "--volume=/var/lib/lipstream",
    "--cap-drop=all",
]
READY_S = 300.0
VIDEO_S = 600.0


def build(image: str, base: str) -> float:
    """Build one image; seconds."""
    began_s = time.monotonic()
    subprocess.run(
        [
            *("buildah", "--storage-driver", "overlay", "bud", "--isolation=chroot"),
            *("--format=docker", "--layers", "--volume", CERTIFICATES),
            *("--build-arg", f"BASE={base}", "--target", image),
            *("--file", str(ROOT / "deploy/docker/cpu.Dockerfile")),
            *("--tag", f"localhost/lipstream-{image}", str(ROOT)),
        ],
        check=True,
        stdout=sys.stderr,
    )
    return time.monotonic() - began_s


def size_mb(image: str) -> float:
    shown = podman("image", "inspect", f"localhost/lipstream-{image}", "--format", "{{.Size}}")
    return round(int(shown) / 1e6, 1)


def podman(*arguments: str) -> str:
    done = subprocess.run([*PODMAN, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def look(image: str, code: str) -> str:
    """What a line of Python prints in a container of an image."""
    flags = [flag for flag in (*RUN, *HARDENED) if flag != "--detach"]
    return podman(*flags, "--rm", f"localhost/lipstream-{image}", "python", "-c", code)


class Stack:
    """Containers on this host's network, on ports that are free."""

    def __init__(self, folder: Path) -> None:
        self._objects = folder / "objects"
        self._objects.mkdir()
        shutil.chown(self._objects, 10001, 10001)
        ports = iter(free_ports(2 + 2 * len(STAGES)))
        redis_port = next(ports)
        self._redis = subprocess.Popen(
            redis_command(find_redis_server(), redis_port, folder), stdout=subprocess.DEVNULL
        )
        while not redis_answers(redis_port):
            time.sleep(0.1)
        self._containers: list[str] = []
        self._env = {
            "LIPSTREAM_REDIS": f"redis://127.0.0.1:{redis_port}/0",
            "LIPSTREAM_STORE": "/objects",
            "LIPSTREAM_HOST": "127.0.0.1",
        }
        self.probes = {}
        for stage in STAGES:
            self._env[f"LIPSTREAM_{stage.name.upper()}_ADDRESS"] = f"127.0.0.1:{next(ports)}"
        for stage in STAGES:
            port = next(ports)
            self.probes[stage.name] = port
            self._start("cpu", stage.module, {"LIPSTREAM_METRICS_PORT": str(port)})
        self.probes["gateway"] = next(ports)
        env = {"LIPSTREAM_GATEWAY_PORT": str(self.probes["gateway"])}
        self._start("gateway", "lipstream.gateway", env)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.probes['gateway']}"

    def _start(self, image: str, module: str, env: dict[str, str]) -> None:
        given = [f"--env={name}={value}" for name, value in {**self._env, **env}.items()]
        volume = f"--volume={self._objects}:/objects"
        command = ("python", "-m", module)
        self._containers.append(
            podman(*RUN, *HARDENED, volume, *given, f"localhost/lipstream-{image}", *command)
        )

    def wait(self) -> dict[str, float]:
        """Seconds until each was ready."""
        began_s, ready = time.monotonic(), dict[str, float]()
        while len(ready) < len(self.probes):
            if time.monotonic() - began_s > READY_S:
                raise SystemExit(f"only {sorted(ready)} became ready")
            for name, port in self.probes.items():
                if name not in ready and _answers(f"http://127.0.0.1:{port}/readyz"):
                    ready[name] = round(time.monotonic() - began_s, 1)
            time.sleep(0.2)
        return ready

    def stop(self) -> None:
        for container in self._containers:
            log = subprocess.run([*PODMAN, "logs", "--tail=5", container], capture_output=True)
            sys.stderr.buffer.write(log.stdout + log.stderr)
            podman("rm", "--force", "--volumes", "--time=10", container)
        self._redis.terminate()
        self._redis.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def make_video(url: str, photo: Path) -> dict[str, float]:
    """A photo and a sentence become a video; seconds, and its size."""
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
        began_s = time.monotonic()
        form = {"name": "check", "consent": "I may use this photo."}
        with photo.open("rb") as file:
            client.post("/v1/avatars", data=form, files={"photo": file}).raise_for_status()
        _until_done(client, "/v1/avatars/check")
        avatar_s = time.monotonic() - began_s
        began_s = time.monotonic()
        order = {"avatar": "check", "text": "Hello from a container."}
        made = client.post("/v1/videos", json=order).raise_for_status().json()
        _until_done(client, f"/v1/videos/{made['id']}")
        film = client.get(f"/v1/videos/{made['id']}/file").raise_for_status().content
    if film[4:8] != b"ftyp":
        raise SystemExit("that is no MP4 file")
    return {
        "avatar_s": round(avatar_s, 1),
        "video_s": round(time.monotonic() - began_s, 1),
        "video_bytes": len(film),
    }


def _until_done(client: httpx.Client, path: str) -> None:
    give_up_s = time.monotonic() + VIDEO_S
    while time.monotonic() < give_up_s:
        state = client.get(path).raise_for_status().json()
        if state["status"] in ("succeeded", "ready"):
            return
        if state["status"] in ("failed", "cancelled"):
            raise SystemExit(f"{path} ended as {state}")
        time.sleep(0.5)
    raise SystemExit(f"{path} did not end")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", help="image of Debian 12")
    parser.add_argument("photo", type=Path)
    parser.add_argument("--json", type=Path, help="file for the figures")
    arguments = parser.parse_args()
    figures: dict[str, Any] = {
        "build_s": {image: round(build(image, arguments.base), 1) for image in IMAGES},
        "size_mb": {image: size_mb(image) for image in IMAGES},
    }
    for image, forbidden in (("gateway", "numpy av onnxruntime torch"), ("cpu", "torch jax")):
        code = (
            f"import importlib.util as u; print([n for n in {forbidden.split()} if u.find_spec(n)])"
        )
        found = look(image, code)
        if found != "[]":
            raise SystemExit(f"the image {image} holds {found}")
        figures.setdefault("packages", {})[image] = len(
            json.loads(look(image, "print(open('/opt/lipstream/sbom.json').read())"))["components"]
        )
    if look("cpu", "import os; print(os.getuid())") != "10001":
        raise SystemExit("the image runs as another user")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.chmod(folder, 0o755)
        stack = Stack(folder)
        try:
            figures["ready_s"] = stack.wait()
            figures |= make_video(stack.url, arguments.photo)
        finally:
            stack.stop()
    text = json.dumps(figures, indent=2)
    print(text)
    if arguments.json:
        arguments.json.write_text(text + "\n")


if __name__ == "__main__":
    main()

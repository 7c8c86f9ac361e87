"""The `lipstream` command as its users run it: files, exit codes, errors of one line."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import av
import httpx
import numpy as np
import psutil
import pytest
import trimesh

from lipstream.avatar import create
from lipstream.avatar.fit import FitResult, Progress, psnr_db
from lipstream.avatar.photo import Photo
from lipstream.avatar.quality import PoorAvatar
from lipstream.errors import BadInput
from lipstream.face.arkit import INDEX, LIVE_LINK_COLUMNS
from lipstream.face.bundle import load
from lipstream.face.motion import Motion
from lipstream.face.motion_file import save_motion
from lipstream.render import SplatRenderer
from tests.command import Outcome, command
from tests.integration.main_job.platform import speech_wav
from tests.portrait import AVATAR, hopper_photo
from tests.unit.avatar.free_gaussians import draw_ply

COMMAND = (sys.executable, "-m", "lipstream.cli")
CONSENT = ("--consent", "I am the person in the photo.")
_LONG_S = 90.0


@pytest.fixture
def home(tmp_path: Path, avatar_store: Path) -> Path:
    """A data folder with one avatar."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "objects").symlink_to(avatar_store)
    return data


@pytest.fixture
def fits(
    fitted: Callable[[Path], FitResult], monkeypatch: pytest.MonkeyPatch
) -> Callable[[BadInput], None]:
    """Fits have been done before: what becomes of an avatar is the matter, not how it is made.

    Gives what has further ones refused.
    """
    refusals: list[BadInput] = []

    def fit(photo: Photo, progress: Progress | None = None) -> FitResult:
        if refusals:
            raise refusals[0]
        return fitted(hopper_photo())

    monkeypatch.setattr(create, "fit_photo", fit)
    return refusals.append


def run(home: Path, *arguments: object, cwd: Path | None = None) -> Outcome:
    return command(*arguments, cwd=cwd, LIPSTREAM_DATA_DIR=str(home))


def run_process(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        env={**os.environ, "LIPSTREAM_DATA_DIR": str(home)},
        capture_output=True,
        text=True,
        timeout=_LONG_S,
    )


@pytest.mark.parametrize(
    ("words", "code"), [(("avatar", "list"), 0), (("avatar", "show", "nobody"), 1), (("x",), 2)]
)
def test_a_process_says_and_ends_as_the_command_does(
    home: Path, words: tuple[str, ...], code: int
) -> None:
    done, here = run_process(home, *words), run(home, *words)
    assert (done.returncode, done.stdout, done.stderr) == (code, here.stdout, here.stderr)


def test_render_makes_a_playable_video(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    text = "Hello there."
    words = ("render", "--avatar", AVATAR, "--text", text, "--size", 128, "-o", out)
    done = run_process(home, *words)
    assert done.returncode == 0, done.stderr
    assert "Wrote" in done.stdout
    with av.open(str(out)) as container:
        assert [s.codec_context.name for s in container.streams] == ["h264", "aac"]
        assert sum(1 for _ in container.decode(video=0)) > 10


@pytest.mark.usefixtures("fits")
def test_render_takes_a_photo_and_a_recording(home: Path, tmp_path: Path) -> None:
    speech = tmp_path / "speech.wav"
    speech.write_bytes(speech_wav("One two."))
    out = tmp_path / "out.mp4"
    own = tmp_path / "own"
    arguments = ("render", "--avatar", hopper_photo(), "--audio", speech, "--size", 64, "-o", out)
    done = run(own, *arguments)
    assert done.returncode == 0, done.stderr
    assert "fit the avatar" in done.stderr
    again = run(own, *arguments)
    assert again.returncode == 0
    assert "fit the avatar" not in again.stderr, "a photo is fitted once"


def test_motion_is_written_for_other_programs(home: Path, tmp_path: Path) -> None:
    table, document = tmp_path / "motion.csv", tmp_path / "motion.json"
    for out in (table, document):
        done = run(home, "motion", "--text", "Bob put a map there.", "-o", out)
        assert done.returncode == 0, done.stderr
    with table.open() as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0][2:]) == LIVE_LINK_COLUMNS
    assert len(LIVE_LINK_COLUMNS) == 61
    frames = json.loads(document.read_text())["frames"]
    assert len(frames) == len(rows) - 1
    jaw = rows[0].index("JawOpen")
    opening = [float(row[jaw]) for row in rows[1:]]
    assert max(opening) > 0.15
    assert min(opening) < 0.05


def test_avatars_are_created_listed_shown_and_deleted(
    tmp_path: Path, fits: Callable[[BadInput], None]
) -> None:
    home = tmp_path / "fresh"
    assert "no avatars yet" in run(home, "avatar", "list").stdout
    done = run(home, "avatar", "create", hopper_photo(), "--name", "admiral", *CONSENT)
    assert done.returncode == 0, done.stderr
    assert json.loads(run(home, "avatar", "list", "--json").stdout)[0]["name"] == "admiral"
    shown = run(home, "avatar", "show", "admiral", "--json", "--preview", tmp_path / "face.png")
    papers = json.loads(shown.stdout)
    assert papers["source"]["kind"] == "photo"
    assert papers["quality"]["viseme_aa_gap_detected_mm"] > 8
    assert (tmp_path / "face.png").read_bytes().startswith(b"\x89PNG")
    table = run(home, "avatar", "show", "admiral", "--sheet", tmp_path / "sheet.png").stdout
    assert "face_psnr_db" in table
    assert "AA" in table
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")
    taken = run(home, "avatar", "create", hopper_photo(), "--name", "admiral", *CONSENT)
    assert taken.returncode == 1
    assert "--replace" in taken.stderr
    fits(PoorAvatar(["no lips"], {"viseme_worst_mm": 9.0}, np.zeros((8, 8, 3), np.uint8)))
    refused = run(home, "avatar", "create", hopper_photo(), "--name", "masked", *CONSENT)
    assert refused.returncode == 1
    assert "not good enough" in refused.stderr
    assert "viseme_worst_mm" in refused.stderr
    assert (home / "refused" / "masked.png").read_bytes().startswith(b"\x89PNG")
    assert run(home, "avatar", "show", "masked").returncode == 1
    assert run(home, "avatar", "delete", "admiral").returncode == 0
    assert run(home, "avatar", "delete", "admiral").returncode == 1


def test_avatars_are_exported_for_other_programs(home: Path, tmp_path: Path) -> None:
    motion, splats, mesh = (tmp_path / name for name in ("motion.npz", "grace.ply", "grace.glb"))
    talking = Motion.rest(3)
    talking.blendshapes[1, INDEX["jawOpen"]] = 0.6
    save_motion(motion, talking)
    for out, more in ((splats, ("--frame", 1)), (mesh, ())):
        done = run(home, "avatar", "export", AVATAR, "-o", out, "--motion", motion, *more)
        assert done.returncode == 0, done.stderr
    model = load(home / "objects" / "avatars" / AVATAR / "bundle.zip").model
    renderer = SplatRenderer(model, 512)
    # Viewers know no depth bias, so the inside of the mouth is where it is by a compromise.
    assert psnr_db(draw_ply(splats, model, 512), renderer.rgb(renderer.pose(talking, 1))) > 42
    (head,) = trimesh.load(mesh).geometry.values()
    assert len(head.vertices) == len(model.surface.vertices)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("avatar", "import", ".", "--name", "her", "--flame", "x.pkl", "--consent", "Hers."),
            "pickle",
        ),
        (("avatar", "export", AVATAR, "-o", "x.obj"), ".glb"),
        (("avatar", "export", AVATAR, "-o", "x.glb", "--frame", 2), "--frame"),
        (("render", "--avatar", "nobody", "--text", "Hi.", "-o", "x.mp4"), "nobody"),
        (("render", "--avatar", AVATAR, "-o", "x.mp4"), "--audio"),
        (("render", "--avatar", AVATAR, "--text", "Hi.", "--size", 63, "-o", "x.mp4"), "even size"),
        (("render", "--avatar", AVATAR, "--text", "Hi.", "--fps", 0, "-o", "x.mp4"), "frame rate"),
        (("render", "--avatar", AVATAR, "--text", "...", "-o", "x.mp4"), "spoken"),
        (("render", "--avatar", AVATAR, "--text", "Hi.", "-o", "no/such/x.mp4"), "folder"),
        (("render", "--avatar", AVATAR, "--audio", "missing.wav", "-o", "x.mp4"), "missing.wav"),
        (("render", "--avatar", "../../x", "--text", "Hi.", "-o", "x.mp4"), "neither an avatar"),
        (("motion", "--text", "Hi.", "-o", "x.txt"), ".csv"),
        (("motion", "--text", "Hi.", "--voice", "klingon-x", "-o", "x.csv"), "voice"),
        (("motion", "--text", "Hi.", "-o", "no/such/x.csv"), "x.csv"),
        (("render", "--avatar", AVATAR, "--text", "Hi.", "-o", "x.avi"), ".mp4"),
        (("demo", "-o", "no/such/x.mp4"), "folder"),
        (
            ("render", "--avatar", AVATAR, "--text", "Hi.", "--background", "none", "-o", "x.mp4"),
            "Choose one of webm",
        ),
        (("voices", "xx"), "no voice"),
        (("avatar", "create", __file__, "--name", "me", *CONSENT), "not an image"),
        (("avatar", "create", "missing.jpg", "--name", "me", *CONSENT), "missing.jpg"),
        (("avatar", "create", __file__, "--name", "../me", *CONSENT), "cannot name"),
        (("avatar", "create", "/dev/zero", "--name", "me", *CONSENT), "larger than"),
        (("avatar", "show", "../../etc"), "cannot name"),
        (("render", "--avatar", AVATAR, "--text", "Hi.", "-o", "/dev/null"), "no file"),
    ],
)
def test_errors_are_one_line_and_a_code(
    home: Path, tmp_path: Path, arguments: tuple[object, ...], said: str
) -> None:
    done = run(home, *arguments, cwd=tmp_path)
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert len(lines) == 1, done.stderr
    assert said in lines[0]
    assert not (tmp_path / "x.mp4").exists()


def test_ctrl_c_stops_and_leaves_nothing(home: Path, tmp_path: Path) -> None:
    text = "This is a long sentence to speak. " * 30
    process = subprocess.Popen(
        [*COMMAND, "render", "--avatar", AVATAR, "--text", text, "-o", "x.mp4"],
        env={**os.environ, "LIPSTREAM_DATA_DIR": str(home)},
        stderr=subprocess.PIPE,
        # As in a terminal; where the tests run in the background, it is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        text=True,
        cwd=tmp_path,
    )
    give_up_s = time.monotonic() + _LONG_S
    while not list(tmp_path.glob(".lipstream-*")):  # the film has not begun
        assert time.monotonic() < give_up_s
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=_LONG_S)
    assert process.returncode == 130, said
    assert "stopped" in said
    assert "Traceback" not in said
    assert not list(tmp_path.glob("*.mp4")) + list(tmp_path.glob(".lipstream-*"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("render",),
        ("frobnicate",),
        ("up", "--port", "70000"),
        ("motion", "--size"),
        ("avatar", "x"),
    ],
)
def test_wrong_usage_is_explained(arguments: tuple[str, ...]) -> None:
    done = command(*arguments)
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert "Usage:" in done.stderr
    assert "fault of ours" not in done.stderr


def test_up_starts_everything_and_ctrl_c_ends_everything(home: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "up", "--port", "0"],
        env={**os.environ, "LIPSTREAM_DATA_DIR": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("lipstream is ready at http://127.0.0.1:"), line
        url = line.split()[4]
        avatars = httpx.get(f"{url}/v1/avatars", trust_env=False, timeout=30.0).json()
        assert [avatar["id"] for avatar in avatars] == [AVATAR]
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 6
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
        give_up_s = time.monotonic() + 10
        while any(child.is_running() and child.status() != "zombie" for child in children):
            assert time.monotonic() < give_up_s, "something is left running"
            time.sleep(0.05)
    finally:
        process.kill()

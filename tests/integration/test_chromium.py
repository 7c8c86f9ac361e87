"""What a real browser makes of a film with alpha."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lipstream.face.motion import Motion
from lipstream.render import FilmOptions, SplatRenderer, open_background, render_video
from lipstream.wire.output import FilmFormat
from tests.unit.render.synthetic import SyntheticDriver, synthetic_avatar

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_SIZE_PX = 128
_PAGE = """<!doctype html><canvas width=128 height=128></canvas><script>
const video = document.createElement("video");
const say = (told) => fetch("/result", {method: "POST", body: JSON.stringify(told)});
video.muted = true;
video.onerror = () => say({error: video.error.message});
video.requestVideoFrameCallback(() => {  // data may be there before there is a picture
  const canvas = document.querySelector("canvas").getContext("2d");
  canvas.drawImage(video, 0, 0);
  const pixels = Array.from(canvas.getImageData(0, 0, 128, 128).data);
  say({width: video.videoWidth, duration: video.duration, pixels});
});
video.src = "/film.webm";
video.play();
</script>"""

pytestmark = pytest.mark.skipif(_CHROMIUM is None, reason="chromium is not installed")


class _Site:
    """A page that plays the film, and what it told."""

    def __init__(self, film: bytes) -> None:
        self.told: dict[str, Any] = {}
        self.done = threading.Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                video = self.path == "/film.webm"
                body = film if video else _PAGE.encode()
                self.send_response(200)
                self.send_header("Content-Type", "video/webm" if video else "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                site.told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(204)
                self.end_headers()
                site.done.set()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[_Site]:
    path = tmp_path / "film.webm"
    options = FilmOptions(
        size_px=_SIZE_PX, format=FilmFormat.WEBM, background=open_background("none")
    )
    avatar = synthetic_avatar(splats=3000, opacity_min=0.9)
    render_video(avatar, [Motion.rest(10)], None, path, options=options, driver=SyntheticDriver())
    site = _Site(path.read_bytes())
    yield site
    site.server.shutdown()
    site.server.server_close()


def test_chromium_shows_the_alpha_of_webm(site: _Site, tmp_path: Path) -> None:
    assert _CHROMIUM is not None
    url = f"http://127.0.0.1:{site.server.server_address[1]}/"
    flags = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run")
    browser = subprocess.Popen(
        [_CHROMIUM, *flags, f"--user-data-dir={tmp_path / 'profile'}", url],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        if not site.done.wait(60):
            pytest.skip("chromium does not start on this machine")
    finally:
        browser.terminate()
        browser.wait(20)
    assert "error" not in site.told, site.told
    assert (site.told["width"], site.told["duration"]) == (_SIZE_PX, pytest.approx(0.4, abs=0.05))
    found = np.array(site.told["pixels"], np.uint8).reshape(_SIZE_PX, _SIZE_PX, 4)
    avatar = synthetic_avatar(splats=3000, opacity_min=0.9)
    renderer = SplatRenderer(
        avatar, _SIZE_PX, background=open_background("none"), driver=SyntheticDriver()
    )
    drawn = renderer.rgba(renderer.pose(Motion.rest(1)))
    assert np.abs(found[..., 3].astype(int) - drawn[..., 3]).mean() < 4
    assert (found[drawn[..., 3] == 0][:, 3] < 16).mean() > 0.99
    solid = drawn[..., 3] == 255
    assert np.abs(found[solid].astype(int) - drawn[solid]).mean() < 12

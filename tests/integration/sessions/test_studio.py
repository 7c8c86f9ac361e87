"""The studio in a real Chromium, on real stages: what a visitor sees and does."""

from __future__ import annotations

import io
import os
import re
import signal
import wave
from collections.abc import Iterator
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest

from lipstream.audio import resample, synthesize
from lipstream.avatar.fit import psnr_db
from lipstream.face.arkit import INDEX
from lipstream.face.bundle import load
from lipstream.face.face_controls import Framing
from lipstream.face.motion import Floats, Motion
from lipstream.render import Layout, View, open_renderer
from lipstream.render.background import ColorBackground
from lipstream.runtime.local_stack import LocalStack
from tests.integration.sessions.chromium import chromium
from tests.portrait import AVATAR, CONSENT, hopper_photo

_TEXT = "My father saw a far away star above the harbour, and told nobody about it."
_REFUSALS = "Failed to load resource.* 4[0-9][0-9] |ERR_ABORTED|ERR_CONNECTION_REFUSED"
_HOOKS = """
    window.sockets = [];
    window.controls = null;  // that were sent last
    window.media = [];  // kinds of all that came: 1 video, 2 sound, 3 motion
    window.WebSocket = class extends WebSocket {
        constructor(...given) {
            super(...given);
            sockets.push(this);
            this.addEventListener("message", ({ data }) => {
                if (typeof data !== "string") media.push(new DataView(data).getUint8(0));
            });
        }
        send(message) {
            if (typeof message === "string") controls = JSON.parse(message).controls ?? controls;
            super.send(message);
        }
    };
    window.pieces = [];  // of sound: when each begins and ends
    const start = AudioBufferSourceNode.prototype.start;
    AudioBufferSourceNode.prototype.start = function (when) {
        pieces.push([when, when + this.buffer.duration]);
        return start.call(this, when);
    };
"""
_LOOKS = """async () => {
    // The lower half of the face, 32 x 32 grey values, 25 times in a second.
    const paper = new OffscreenCanvas(32, 32).getContext("2d", { willReadFrequently: true });
    const picture = document.getElementById("picture");
    const looks = [];
    for (let i = 0; i < 25; i++) {
        const { width, height } = picture;
        paper.drawImage(picture, width / 4, height / 2, width / 2, height / 3, 0, 0, 32, 32);
        const { data } = paper.getImageData(0, 0, 32, 32);
        looks.push(Array.from(data.filter((_, i) => i % 4 === 1)));
        await new Promise((done) => setTimeout(done, 40));
    }
    return looks;
}"""


_AT = "() => [...document.querySelectorAll('*')].indexOf(document.activeElement)"
_USABLE = """() => [...document.querySelectorAll('*')].flatMap((element, place) => {
    const usable = element.matches("a[href], button:enabled, input:enabled, select, textarea");
    const chosenByArrows = element.matches("[type=radio]:not(:checked)");
    return usable && !chosenByArrows && element.checkVisibility() ? [place] : [];
})"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """It hears a sentence, then silence, over and over."""
    rate_hz = 48_000
    path = tmp_path_factory.mktemp("microphone") / "speech.wav"
    speech = synthesize("Good morning, this is my own voice.")
    samples = resample(speech.samples, speech.rate_hz, rate_hz).clip(-1, 1)
    padded = np.concatenate([np.zeros(rate_hz // 2), samples, np.zeros(2 * rate_hz)])
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes((padded * 32767).astype("<i2").tobytes())
    with chromium(path) as browser:
        yield browser


@pytest.fixture
def page(browser: Any, server: str) -> Iterator[Any]:
    """The studio, loaded; it may complain of refusals and of a dead gateway, of nothing else."""
    complaints: list[str] = []
    page = browser.new_page()
    page.set_default_timeout(20_000)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("requestfailed", lambda request: complaints.append(f"{request.url} {request.failure}"))
    page.add_init_script(_HOOKS)
    page.goto(server)
    page.wait_for_selector("#start:enabled")
    assert complaints == []
    yield page
    page.close()
    expected = re.compile(_REFUSALS)
    assert [complaint for complaint in complaints if not expected.search(complaint)] == []


def _started(page: Any) -> None:
    page.select_option("#size", "256")
    page.click("#start")
    page.wait_for_selector("#speak:enabled")
    page.wait_for_function("() => parseFloat(document.getElementById('fps').textContent) > 5")


def _until(page: Any, state: str) -> None:
    page.wait_for_selector(f"#state[data-state={state}]")


def _looks(page: Any) -> Floats:
    """Pictures of the mouth within a second [25, 32 * 32]."""
    return np.array(page.evaluate(_LOOKS), np.float32)


def _movement(page: Any) -> float:
    return float(np.abs(np.diff(_looks(page), axis=0)).mean())


def _number(page: Any, figure: str) -> float:
    return float(page.text_content(f"#{figure}").split()[0])


def test_it_talks_and_can_be_interrupted(page: Any) -> None:
    _started(page)
    quiet = _movement(page)
    page.fill("#words", _TEXT)
    page.press("#words", "Enter")
    page.wait_for_function("() => document.getElementById('first').textContent !== '–'")
    speaking = _movement(page)
    assert page.get_attribute("#state", "data-state") == "speaking"
    assert speaking > 1.5 * quiet
    assert 0 < _number(page, "first") < 5000
    assert abs(_number(page, "drift")) < 60
    pieces = page.evaluate("() => pieces")
    assert len(pieces) > 20
    gaps = np.array([begin - end for (_, end), (begin, _) in pairwise(pieces)])
    assert gaps.min() > -1e-6  # never two at once
    assert np.median(np.abs(gaps)) < 1e-6  # and seldom a gap, on a machine that is busy
    page.keyboard.press("Escape")
    _until(page, "idle")
    heard = page.evaluate("() => pieces.length")
    page.wait_for_timeout(500)
    assert page.evaluate("() => pieces.length") == heard
    page.click("#end")
    page.wait_for_selector("#start:enabled")
    assert page.text_content("#state") == "Ended"


def test_a_dropped_socket_is_made_again_and_an_ended_session_is_told(page: Any) -> None:
    _started(page)
    page.evaluate("() => sockets[0].close(4000)")
    page.wait_for_function("() => sockets.length === 2")
    page.wait_for_selector("#speak:enabled")
    page.fill("#words", "Still here.")
    page.click("#speak")
    _until(page, "speaking")
    page.click("#interrupt")
    _until(page, "idle")
    session = page.evaluate("() => sockets[1].url.split('/')[5]")
    page.evaluate("(id) => fetch(`/v1/sessions/${id}`, { method: 'DELETE' })", session)
    _until(page, "closed")


def test_a_session_goes_on_when_its_gateway_dies(page: Any, stack: LocalStack) -> None:
    _started(page)
    page.fill("#words", " ".join([_TEXT] * 3))
    page.click("#speak")
    _until(page, "speaking")
    os.kill(stack.pids["gateway"], signal.SIGKILL)
    page.wait_for_function("() => sockets.length > 1 && sockets.at(-1).readyState === 1")
    count = page.evaluate("() => media.length")
    page.wait_for_function(f"() => media.slice({count}).filter((kind) => kind === 1).length > 10")
    page.fill("#words", "Still here.")
    page.click("#speak:enabled")
    _until(page, "speaking")
    page.wait_for_function("() => parseFloat(document.getElementById('fps').textContent) > 5")
    _until(page, "idle")
    assert not page.is_visible("#notice")
    assert abs(_number(page, "drift")) < 250  # a clock that began anew would be seconds off


def test_the_face_shows_what_is_wished_for(page: Any) -> None:
    _started(page)
    page.fill("[name=head]", "0")
    page.wait_for_function("() => controls.head_motion === 0")
    page.wait_for_timeout(500)
    calm = _looks(page).mean(0)
    page.select_option("[name=emotion]", "joy")
    page.fill("[name=intensity]", "1")
    page.wait_for_function("() => controls.emotion?.joy === 1")
    page.wait_for_timeout(500)
    glad = _looks(page).mean(0)
    page.select_option("[name=emotion]", "")
    page.wait_for_function("() => !controls.emotion")
    page.wait_for_timeout(500)
    again = _looks(page).mean(0)
    assert np.abs(glad - calm).mean() > 2 * np.abs(again - calm).mean()
    page.fill("[name=yaw]", "20")
    page.fill("[name=blinks]", "5")
    page.wait_for_function("() => controls.gaze?.yaw_deg === 20 && controls.blink_rate === 5")
    page.click("#face-title ~ button")
    page.wait_for_function("() => !controls.gaze && controls.head_motion === 1")
    assert page.evaluate("() => controls.blink_rate === undefined")
    assert not page.is_visible("#notice")


def test_ones_own_voice_goes_through_and_interrupts(page: Any) -> None:
    _started(page)
    page.click("#microphone")
    _until(page, "speaking")
    assert page.get_attribute("#microphone", "aria-pressed") == "true"
    page.wait_for_function("() => pieces.length > 10")
    _until(page, "idle")  # the sentence is over
    page.uncheck("#through")
    page.fill("#words", " ".join([_TEXT] * 3))
    page.click("#speak")
    _until(page, "speaking")
    page.wait_for_selector("#state[data-state=idle]", timeout=8000)  # not by its own end


_DRAWN_HERE = """async ([avatar, sizePx, views, frames]) => {
    const { ask } = await import("/studio/server.js");
    const { readBundle } = await import("/studio/splat-bundle.js");
    const { SplatRenderer } = await import("/studio/splat-renderer.js");
    const bundle = await readBundle(await ask(`/v1/avatars/${avatar}/export?format=splats`));
    const renderer = await SplatRenderer.create(bundle, { sizePx });
    const paper = new OffscreenCanvas(sizePx, sizePx).getContext("2d");
    const pictures = [];
    for (const [i, view] of views.entries()) {
        await renderer.show(view);
        renderer.draw(new Float32Array(frames[i]));
        paper.drawImage(renderer.canvas, 0, 0);
        pictures.push(Array.from(paper.getImageData(0, 0, sizePx, sizePx).data));
    }
    return pictures;
}"""


def test_what_the_browser_draws_is_what_the_server_draws(page: Any, avatar_store: Path) -> None:
    size_px = 256
    model = load(avatar_store / "avatars" / AVATAR / "bundle.zip").model
    motion = Motion.rest(2)
    motion.blendshapes[0, [INDEX["jawOpen"], INDEX["eyeBlinkLeft"]]] = 0.5
    motion.blendshapes[1, [INDEX["mouthSmileLeft"], INDEX["mouthPucker"]]] = 0.6
    motion.rotation[1], motion.gaze[1] = (0.1, 0.2, -0.1), 0.15
    whole, near = Framing(), Framing(1.4, 0.1)
    views = [
        {"background": background, "framing": asdict(framing)}
        for background, framing in (("photo", whole), ("#20a040", near))
    ]
    parts = (motion.blendshapes, motion.rotation, motion.translation, motion.gaze)
    frames = np.concatenate(parts, axis=1).tolist()
    drawn = page.evaluate(_DRAWN_HERE, [AVATAR, size_px, views, frames])
    servers = View(size_px), View(size_px, ColorBackground((0x20, 0xA0, 0x40)), near)
    for frame, (view, pixels) in enumerate(zip(servers, drawn, strict=True)):
        renderer = open_renderer(model, view)
        wanted = renderer.picture(renderer.pose(motion, frame), Layout.RGB)
        found = np.array(pixels, np.uint8).reshape(size_px, size_px, 4)[..., :3]
        face = slice(size_px // 4, 5 * size_px // 8), slice(5 * size_px // 16, 11 * size_px // 16)
        assert psnr_db(found[face], wanted[face]) > 44
        # Of the plate, too, which is scaled in another manner.
        assert psnr_db(found, wanted) > 36


_DIFFERENT_LOOKS = """() => {
    const paper = new OffscreenCanvas(32, 32).getContext("2d");
    paper.drawImage(document.getElementById("picture"), 0, 0, 32, 32);
    window.looks = (window.looks ?? new Set()).add(paper.getImageData(0, 0, 32, 32).data.join());
    return window.looks.size > 3;
}"""


_SQUARES = """() => {
    // Of the corner, where nobody is: a dark square and a light one.
    const paper = new OffscreenCanvas(24, 24).getContext("2d");
    paper.drawImage(document.getElementById("picture"), 0, 0);
    const [dark, light] = [4, 16].map((x) => paper.getImageData(x, 4, 1, 1).data);
    return Math.abs(dark[0] - 0xd3) < 6 && Math.abs(light[0] - 0xf2) < 6;
}"""


def test_it_goes_over_to_drawing_here_and_back(page: Any) -> None:
    _started(page)
    page.select_option("[name=output]", "motion")
    only_motion = "() => media.length > 30 && !media.slice(-30).includes(1)"
    page.wait_for_function(only_motion, timeout=60_000)
    page.select_option("#view [name=background]", "blur")
    page.fill("#words", _TEXT)
    page.press("#words", "Enter")
    # Without a graphics card a picture takes its time.
    page.wait_for_function(_DIFFERENT_LOOKS, polling=50, timeout=60_000)
    page.select_option("#view [name=background]", "none")
    page.wait_for_function(_SQUARES, polling=50, timeout=60_000)
    page.select_option("[name=output]", "video")
    page.wait_for_function("() => media.slice(-5).includes(1)")
    page.wait_for_function(_SQUARES)
    page.select_option("#view [name=background]", "photo")
    page.wait_for_function(f"() => !({_SQUARES})()")
    page.wait_for_function("() => parseFloat(document.getElementById('fps').textContent) > 5")
    assert not page.is_visible("#notice")


def test_where_it_cannot_be_drawn_here_the_server_goes_on(page: Any) -> None:
    _started(page)
    page.evaluate("() => { HTMLCanvasElement.prototype.getContext = () => null; }")
    page.select_option("[name=output]", "motion")
    page.wait_for_selector("#notice:not([hidden])")
    assert "WebGL" in page.text_content("#notice")
    assert page.input_value("[name=output]") == "video"
    count = page.evaluate("() => media.length")
    page.wait_for_function(f"() => media.length > {count} + 10 && !media.includes(3)")


def test_the_servers_voices_are_offered(page: Any, server: str) -> None:
    page.wait_for_function("() => document.querySelectorAll('#voices option').length > 100")
    german = httpx.get(f"{server}/v1/voices?language=de", trust_env=False).json()
    assert german == [{"voice": "de", "language": "de", "title": "German"}]
    option = page.query_selector("#voices option[value=de]")
    assert option.get_attribute("label") == "de: German"


def test_a_browser_without_webcodecs_is_told_what_to_use(page: Any) -> None:
    page.add_init_script("delete window.VideoDecoder")
    page.reload()
    page.click("#start:enabled")
    page.wait_for_selector("#notice:not([hidden])")
    assert "WebCodecs" in page.text_content("#notice")
    assert page.evaluate("() => sockets.length") == 0


def test_a_photo_without_a_face_is_refused_with_the_reason(page: Any) -> None:
    page.click("#new-avatar")
    page.click("#camera-button")
    page.wait_for_function("() => document.getElementById('camera').videoWidth > 0")
    page.click("#camera-button")
    page.fill("#avatar-name", "nobody")
    page.fill("#consent", "Nobody is in this photo.")
    page.click("#avatar-create")
    page.wait_for_selector("#fit-notice:not([hidden])")
    assert "No face was found" in page.text_content("#fit-notice")


def test_an_uploaded_photo_becomes_an_avatar_that_can_be_chosen(page: Any, server: str) -> None:
    page.click("#new-avatar")
    page.set_input_files("#photo", hopper_photo())
    page.wait_for_function("() => document.getElementById('photo-preview').naturalWidth > 0")
    page.fill("#avatar-name", "uploaded")
    page.fill("#consent", CONSENT)
    page.click("#avatar-create")
    page.wait_for_selector("#avatar-dialog:not([open])", state="attached", timeout=120_000)
    page.wait_for_selector("#avatars [value=uploaded]:checked")
    assert page.is_enabled("#start")
    httpx.delete(f"{server}/v1/avatars/uploaded", trust_env=False).raise_for_status()


def test_it_fits_a_phone_in_the_dark(page: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    for where in ("#live", "#jobs"):
        page.goto(page.url.partition("#")[0] + where)
        page.wait_for_selector(f"{where}:not([hidden])")
        assert page.evaluate("() => document.scrollingElement.scrollWidth") <= 390
    page.click("nav >> text=Live")
    page.click("#new-avatar")
    box = page.locator("#avatar-dialog").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    paper, ink = page.evaluate(
        "() => ['backgroundColor', 'color'].map((name) => getComputedStyle(document.body)[name])"
    )
    assert _brightness(paper) < 60 < 180 < _brightness(ink)


def test_all_that_can_be_used_is_reached_by_tab(page: Any) -> None:
    usable = page.evaluate(_USABLE)
    assert len(usable) > 20
    reached = set()
    for _ in range(len(usable) + 10):
        page.keyboard.press("Tab")
        reached.add(page.evaluate(_AT))
    assert set(usable) <= reached


def _brightness(color: str) -> float:
    """Of rgb(r, g, b)."""
    return float(np.mean([int(part) for part in re.findall(r"\d+", color)[:3]]))


def test_a_video_is_made_and_listed(page: Any, server: str) -> None:
    page.click("nav >> text=Videos")
    page.select_option("#new-video [name=avatar]", AVATAR)
    page.fill("[name=text]", "Hi.")
    page.select_option("#new-video [name=background]", "color")
    page.fill("#new-video [name=color]", "#2030c0")
    earlier = page.locator("#videos li").count()
    page.click("text=Make the video")
    while page.locator("#videos li").count() <= earlier:
        page.wait_for_timeout(50)
    row = page.locator("#videos li").first
    row.locator("text=Download").wait_for()
    assert "done" in row.locator(".state").text_content()
    row.locator("text=Watch").click()
    page.wait_for_function("() => document.querySelector('#videos video').readyState >= 2")
    file = httpx.get(row.locator("a").get_attribute("href"), trust_env=False)
    with av.open(io.BytesIO(file.content), "r") as film:
        corner = next(film.decode(video=0)).to_ndarray(format="rgb24")[:8, :8].mean((0, 1))
    assert np.abs(corner - (0x20, 0x30, 0xC0)).max() < 12
    row.locator("text=Remove").click()
    page.wait_for_selector("#no-videos:not([hidden])")


def test_pieces_of_a_microphone_are_resampled_without_aliases(page: Any) -> None:
    found = page.evaluate(
        """async () => {
            const { Resampler } = await import("/studio/resampler.js");
            const heard = (toneHz) => {
                const resampler = new Resampler(48000, 24000), out = [];
                for (let n = 0; n < 48000; n += 128) {
                    const tone = new Float32Array(128);
                    tone.forEach((_, i) => {
                        tone[i] = Math.sin(2 * Math.PI * toneHz * (n + i) / 48000);
                    });
                    out.push(...resampler.push(tone));
                }
                return out;
            };
            return [heard(1000), heard(16000)];
        }"""
    )
    kept, above = (np.array(samples)[1000:-1000] for samples in found)
    assert len(kept) == pytest.approx(22_000, abs=40)
    tone = np.abs(np.fft.rfft(kept * np.hanning(len(kept))))
    assert np.argmax(tone) * 24_000 / len(kept) == pytest.approx(1000, abs=2)
    assert np.sqrt(np.mean(kept**2)) == pytest.approx(np.sqrt(0.5), rel=0.02)
    assert np.sqrt(np.mean(above**2)) < 0.01

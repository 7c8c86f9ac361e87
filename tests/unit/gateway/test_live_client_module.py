"""The studio's client, run by Node on a socket that says what the test wants."""

from __future__ import annotations

import json
import shutil
import subprocess
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from lipstream.gateway import studio_page
from lipstream.wire.live_media import MediaKind, MediaMessage

_SCRIPT = """
import { readFileSync } from "node:fs";

let socket;
globalThis.sessionStorage = { getItem: () => null };
globalThis.WebSocket = class { constructor() { socket = this; } };
const { LiveClient } = await import("./live-client.js");
const client = new LiveClient({ stream_url: "/", session_token: "" });
const told = [];
for (const type of ["media", "agent.speak_finished"]) {
  client.addEventListener(type, ({ detail }) => told.push(detail.ptsUs ?? detail.utterance));
}
client.connect();
for (const message of JSON.parse(readFileSync("messages.json"))) {
  const bytes = Buffer.from(message.media ?? "", "base64");
  const data = message.media ? new Uint8Array(bytes).buffer : JSON.stringify(message);
  socket.onmessage({ data });
}
client.addEventListener("error", ({ detail }) => told.push(detail.code));
socket.onclose({ code: 1009 });
console.log(JSON.stringify(told));
process.exit();
"""


def _media(kind: MediaKind, epoch: int, pts_us: int) -> dict[str, Any]:
    return {"media": b64encode(MediaMessage(kind, epoch, pts_us, b"").encode()).decode()}


def test_what_is_stale_is_left_out_and_what_is_too_large_is_told(
    tmp_path: Path,
) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node.js")
    studio = Path(studio_page.__file__).with_name("studio")
    for module in ("live-client", "server"):
        shutil.copy(studio / f"{module}.js", tmp_path)
    finished = {"type": "agent.speak_finished", "utterance": 1}
    messages = [
        _media(MediaKind.VIDEO, 1, 10),
        _media(MediaKind.AUDIO, 0, 11),
        _media(MediaKind.VIDEO, 2, 12),  # another renderer draws
        _media(MediaKind.VIDEO, 1, 13),
        _media(MediaKind.AUDIO, 0, 14),
        {"type": "session.state_updated", "epoch": 3, "sound_epoch": 3},  # interrupted
        _media(MediaKind.AUDIO, 0, 15),
        _media(MediaKind.MOTION, 2, 16),
        _media(MediaKind.AUDIO, 3, 17),
        finished,
        finished,
    ]
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "script.js").write_text(_SCRIPT)
    (tmp_path / "messages.json").write_text(json.dumps(messages))
    done = subprocess.run(
        [node, "script.js"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [10, 11, 12, 14, 17, 1, "message_too_large"]

"""`lipstream webhooks` against a real gateway and Redis."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from lipstream.cli.webhooks import create, delete, list_webhooks, rotate, try_now
from lipstream.errors import BadInput
from lipstream.runtime.settings import Settings
from tests.integration.redis_process import RedisProcess
from tests.integration.served_gateway import served


def test_webhooks_are_made_listed_rotated_and_deleted(
    redis_server: RedisProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said() -> str:
        return capsys.readouterr().out

    objects = str(tmp_path / "objects")
    with served(Settings(redis=redis_server.url, store=objects, webhooks_private=True)) as url:
        create("http://127.0.0.1:9/hook", ["video.failed"], gateway=url)
        title, secret = said().splitlines()
        hook_id = title.split()[1].rstrip(";")
        list_webhooks(gateway=url)
        assert hook_id in (listed := said())
        assert secret not in listed
        with pytest.raises(typer.Exit):  # nobody listens there
            try_now(hook_id, gateway=url)
        assert said().startswith("No answer")
        rotate(hook_id, 1.0, gateway=url)
        new = said().splitlines()[-1]
        assert new.startswith("whsec_")
        assert new != secret
        with pytest.raises(BadInput):
            create("http://127.0.0.1:9/hook", ["no.event"], gateway=url)
        delete(hook_id, gateway=url)
        with pytest.raises(BadInput, match="There is no webhook"):
            rotate(hook_id, gateway=url)
        said()
        list_webhooks(gateway=url)
        assert hook_id not in said()

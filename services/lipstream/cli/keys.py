"""`lipstream keys`: create, list, rotate, revoke API keys, in the platform's Redis."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.table import Table

from lipstream.cli.console import console, show_table
from lipstream.cli.shared_redis import ask_redis
from lipstream.errors import BadInput

if TYPE_CHECKING:
    from lipstream.runtime.api_keys import KeyStore

__all__ = ["app"]

T = TypeVar("T")

app = typer.Typer(
    help="API keys of the gateway, which asks for them where LIPSTREAM_AUTH=keys.",
    no_args_is_help=True,
)

_Id = Annotated[str, typer.Argument(help="The key's id, as `lipstream keys list` shows it.")]
_Lasts = Annotated[str, typer.Option("--lasts", help="How long it works, such as 90d or 12h.")]
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_SPAN = re.compile("([0-9]{1,6})([smhd])")


@app.command("create")
def create(
    tenant: Annotated[str, typer.Option(help="Whose avatars, videos and sessions it reaches.")] = (
        "default"
    ),
    scope: Annotated[
        list[str] | None,
        typer.Option(help="avatars, videos, sessions, webhooks; all of them by default."),
    ] = None,
    name: Annotated[str, typer.Option(help="For you: where it is used.")] = "",
    lasts: _Lasts = "",
    requests_per_s: Annotated[
        float, typer.Option(min=0, help="Calls a second; 0: as the server has it.")
    ] = 0.0,
    sessions: Annotated[
        int, typer.Option(min=0, help="Live sessions at once; 0: as the server has it.")
    ] = 0,
) -> None:
    """Make a key. It is shown this once; what is kept of it cannot be turned back into it."""
    scopes = scope or ["avatars", "videos", "sessions", "webhooks"]
    key, text = _run(
        lambda keys: keys.create(
            tenant,
            scopes,
            name=name,
            lasts_s=_span_s(lasts),
            requests_per_s=requests_per_s,
            sessions=sessions,
        )
    )
    console.print(f"Key {key.id} of tenant {key.tenant}, shown this once:", highlight=False)
    print(text)


@app.command("list")
def list_keys() -> None:
    """All keys: whose, for what, until when."""
    table = Table("id", "tenant", "scopes", "name", "created", "ends", box=None)
    for key in _run(lambda keys: keys.keys()):
        ends = _day(key.expires_ms) if key.expires_ms else "never"
        if key.expired:
            ends += ", is over"
        scopes = " ".join(sorted(key.scopes))
        table.add_row(key.id, key.tenant, scopes, key.name, _day(key.created_ms), ends)
    show_table(table)


@app.command("rotate")
def rotate(
    key_id: _Id,
    grace: Annotated[str, typer.Option(help="How long the old one goes on working.")] = "7d",
    lasts: _Lasts = "",
) -> None:
    """Make a key in place of another. Both work until the grace is over."""
    grace_s = _span_s(grace) or 0.0
    key, text = _run(lambda keys: keys.rotate(key_id, grace_s=grace_s, lasts_s=_span_s(lasts)))
    console.print(
        f"Key {key.id} in place of {key_id}, which ends in {grace}; shown this once:",
        highlight=False,
    )
    print(text)


@app.command("revoke")
def revoke(key_id: _Id) -> None:
    """End a key at once."""
    _run(lambda keys: keys.revoke(key_id))
    console.print(f"Revoked {key_id}.", highlight=False)


def _run(ask: Callable[[KeyStore], Awaitable[T]]) -> T:
    from lipstream.runtime.api_keys import KeyStore

    return ask_redis(lambda link, _: ask(KeyStore(link)))


def _span_s(text: str) -> float | None:
    """
    Raises:
        BadInput: it is no span of time.
    """
    if not text:
        return None
    parts = _SPAN.fullmatch(text)
    if parts is None:
        raise BadInput(f"{text[:40]!r} is no span of time.", remedy="Write it as 90d, 12h or 30m.")
    return float(int(parts[1]) * _UNITS_S[parts[2]])


def _day(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")

"""`lipstream webhooks`: list, create, test, rotate, delete webhooks, at a gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from lipstream.cli.console import console, show_table, shown_time

if TYPE_CHECKING:
    from lipstream.cli.rest_client import RestClient

__all__ = ["app"]

app = typer.Typer(
    help="Webhooks: be called when a video or an avatar is done (docs/webhooks.md). "
    "LIPSTREAM_API_KEY says whose.",
    no_args_is_help=True,
)

_Gateway = Annotated[str, typer.Option("--url", help="A gateway.", envvar="LIPSTREAM_URL")]
_HERE = "http://127.0.0.1:8080"
_Id = Annotated[str, typer.Argument(help="Its id, as `lipstream webhooks list` shows it.")]


@app.command("list")
def list_webhooks(gateway: _Gateway = _HERE) -> None:
    """All of yours, and how the last call of each went."""
    table = Table("id", "address", "events", "last call", "result", box=None)
    with _client(gateway) as client:
        for hook in client.webhooks():
            events = " ".join(hook["events"])
            called = "never" if hook["last_ms"] is None else shown_time(hook["last_ms"])
            table.add_row(hook["id"], hook["url"], events, called, hook["last_result"] or "")
    show_table(table)


@app.command("create")
def create(
    address: Annotated[str, typer.Argument(help="What is called, https://...")],
    event: Annotated[list[str] | None, typer.Option(help="Only such, video.failed say.")] = None,
    gateway: _Gateway = _HERE,
) -> None:
    """Ask to be called. The secret that signs the calls is shown this once."""
    with _client(gateway) as client:
        _show(client.create_webhook(address, event or []), "Webhook {id}; its secret, shown once:")


@app.command("rotate")
def rotate(
    webhook_id: _Id,
    grace_h: Annotated[
        float, typer.Option(help="Hours for which the old secret signs too.", min=0)
    ] = 24.0,
    gateway: _Gateway = _HERE,
) -> None:
    """Make a new secret. Until the grace is over, calls are signed with both."""
    with _client(gateway) as client:
        document = client.rotate_webhook(webhook_id, 3600 * grace_h)
        _show(document, "New secret of webhook {id}, shown once:")


@app.command("test")
def try_now(webhook_id: _Id, gateway: _Gateway = _HERE) -> None:
    """Call it once, now, with an event of no job, and say what came of it."""
    with _client(gateway) as client:
        result = client.test_webhook(webhook_id)
    console.print(result, highlight=False)
    if result != "ok":
        raise typer.Exit(1)


@app.command("delete")
def delete(webhook_id: _Id, gateway: _Gateway = _HERE) -> None:
    """Be called no more."""
    with _client(gateway) as client:
        client.delete_webhook(webhook_id)
    console.print(f"Deleted {webhook_id}.", highlight=False)


def _client(gateway: str) -> RestClient:
    from lipstream.cli.rest_client import RestClient

    return RestClient(gateway)


def _show(document: dict[str, Any], title: str) -> None:
    console.print(title.format(id=document["id"]), highlight=False)
    print(document["secret"])

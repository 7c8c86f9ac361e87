"""The command's root: subcommands, and errors as one line instead of a trace."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any, NoReturn

import typer
from rich.text import Text

import lipstream
from lipstream.cli import (
    avatar,
    batch,
    demo,
    jobs,
    keys,
    motion,
    render,
    style,
    up,
    voices,
    webhooks,
)
from lipstream.cli.console import console, error_console
from lipstream.errors import LipstreamError

__all__ = ["app", "main"]

_TRACE_VARIABLE = "LIPSTREAM_TRACE"
_INTERRUPTED = 130

# ClickException: of the package click, or of the copy of it that newer releases of Typer bring.
_Misuse: Any = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="lipstream",
    help="Speech in, a talking avatar out.",
    epilog="Where lipstream\\[train] is installed: lipstream train, corpus, evaluate --help. "
    "Start with: lipstream render --avatar me.jpg --text 'Hello!' -o hello.mp4",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("render")(render.render)
app.command("motion")(motion.motion)
app.command("style")(style.style)
app.add_typer(avatar.app, name="avatar")
app.add_typer(jobs.app, name="jobs")
app.add_typer(keys.app, name="keys")
app.add_typer(webhooks.app, name="webhooks")
app.command("batch")(batch.batch)
app.command("voices")(voices.voices)
app.command("up")(up.up)
app.command("demo")(demo.demo)


def _show_version(wanted: bool) -> None:
    if wanted:
        console.print(f"lipstream {lipstream.__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


def _mount_workshop() -> None:
    """Add `lipstream train`, `corpus` and `evaluate`, which need the training extra.

    They are heavy to import, so they are looked at only when one of them is asked for.
    """
    asked = sys.argv[1:2]
    if asked in (["train"], ["corpus"]):
        from lipstream.training import commands

        app.add_typer(commands.train_app, name="train")
        app.add_typer(commands.corpus_app, name="corpus")
    elif asked == ["evaluate"]:
        from lipstream.cli.evaluate_motion import evaluate_motion_command
        from lipstream.evaluation import commands as evaluation

        evaluation.app.command("motion")(evaluate_motion_command)
        app.add_typer(evaluation.app, name="evaluate")


def main() -> None:
    """Run the command; exit 0 on success, 1 on an error, 2 on wrong usage, 130 on Ctrl-C."""
    try:
        _mount_workshop()
        code = app(prog_name="lipstream", standalone_mode=False)
    except LipstreamError as error:
        _fail(str(error))
    except ModuleNotFoundError as error:
        _fail(
            f"This command needs the package {error.name!r}.",
            "Install it with: pip install 'lipstream[train]'",
        )
    except OSError as error:
        _fail(f"{error.filename or 'The file system'}: {error.strerror or error}.")
    except (typer.Abort, KeyboardInterrupt):
        code = _INTERRUPTED
    except _Misuse as error:
        error.show()
        sys.exit(error.exit_code)
    except Exception as error:
        if os.environ.get(_TRACE_VARIABLE):
            raise
        _fail(
            f"lipstream failed: {type(error).__name__}: {error}.",
            f"This is a fault of ours. Please report it, with what {_TRACE_VARIABLE}=1 shows.",
        )
    # Typer gives back the code of an Exit, and some releases turn Ctrl-C into one.
    if code == _INTERRUPTED:
        error_console.print("stopped", highlight=False)
    if isinstance(code, int):
        sys.exit(code)


def _fail(message: str, remedy: str = "") -> NoReturn:
    text = Text(f"{message} {remedy}".strip())
    error_console.print(Text("error: ", "bold red") + text)
    sys.exit(1)

"""The `lipstream` command."""

from lipstream.cli.app import main

__all__ = ["main"]

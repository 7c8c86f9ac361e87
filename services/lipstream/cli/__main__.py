"""`python -m lipstream.cli` is the `lipstream` command."""

from lipstream.cli.app import main

main()

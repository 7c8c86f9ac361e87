"""Benchmarks: `python -m loadtests.<name> [--json FILE]`."""

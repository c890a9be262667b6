"""Measures what the site costs, against itself: ratios inside one run, never seconds against another machine's.

`python -m bench` runs the parts in turn; each checks its answers before it times anything. How to run and to read it:
docs/benchmarks.md. The goals are in `goals.toml`.
"""

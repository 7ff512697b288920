"""Benchmarks: what placed costs, beside what its peers cost and the least possible cost.

Every figure that counts is a ratio inside one run on one machine. `scripts/bench` runs all of it and writes
`docs/performance/`; docs/performance.md explains each row.
"""

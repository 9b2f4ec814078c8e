"""Benchmarks: one file a claim, one harness. See README.md."""

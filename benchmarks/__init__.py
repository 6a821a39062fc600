"""What is fast, against what: the bars of the design, measured. Run with `python -m benchmarks`."""

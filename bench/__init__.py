"""The benchmarks: `python -m bench`. Their figures are ratios of one and the same run."""

"""Side-by-side ratios: each benchmark times two ways of the same thing in one run. `python -m benchmarks`."""

"""Run every benchmark and print a table of ratios."""

from benchmarks import fitting, recording, simulation, start

ROWS = [*simulation.rows(), *recording.rows(), *fitting.rows(), *start.rows()]
HEADS = ("what", "ours", "beside it", "ratio", "largest difference")
WIDTHS = [max(len(str(row[i])) for row in [HEADS, *ROWS]) for i in range(5)]
for row in [HEADS, *ROWS]:
    print("  ".join(str(cell).ljust(width) for cell, width in zip(row, WIDTHS, strict=True)))

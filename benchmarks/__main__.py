"""Run the benchmarks and print tables of ratios: `python -m benchmarks [methods|program|PART...] [--full] [--out DIR]`.

`methods` are the sweeps of the engine beside other packages, `program` everything else, of which a PART can be named.
`--full` runs the plain loops to their end (an hour) instead of timing some of their points.
"""

import argparse
from importlib import import_module
from pathlib import Path

from benchmarks.methods.run import CASES, goals, measured, table, write

PARTS = ("simulation", "recording", "files", "peers", "fitting", "stability", "start", "drawing", "live")

parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
parser.add_argument("what", nargs="*", help=f"one of {', '.join(PARTS)} too")
parser.add_argument("--full", action="store_true", help="run the plain loops to their end")
parser.add_argument("--case", choices=sorted(CASES), action="append", help="only this sweep")
parser.add_argument("--out", type=Path, help="write methods.md, methods.csv and methods.png there")
chosen = parser.parse_args()
what = set(chosen.what or ("methods", "program"))
if unknown := what - {"methods", "program", *PARTS}:
    parser.error(f"There is no {min(unknown)}: give methods, program, {', '.join(PARTS)}.")

if "methods" in what:
    found = [row for name in chosen.case or CASES for row in measured(name, full=chosen.full)]
    print(table(found))
    print()
    print(goals(found))
    if chosen.out:
        write(found, chosen.out)
parts = [part for part in PARTS if what & {"program", part}]
if parts:
    rows = [row for part in parts for row in import_module(f"benchmarks.{part}").rows()]
    heads = ("what", "ours", "beside it", "ratio", "largest difference")
    widths = [max(len(str(row[i])) for row in [heads, *rows]) for i in range(5)]
    for row in [heads, *rows]:
        print("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)))

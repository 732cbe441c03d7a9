"""Times the cases and says what was found: rows for a table, a CSV file and a plot.

A peer or plain loop of which only some points were timed is scaled to the whole sweep; the row says so.
"""

import csv
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.methods import decoupling, detunings, odmr, ramsey, twisting
from benchmarks.methods.case import AbsentError, Case, Computed, Peer
from benchmarks.timing import seconds, shown

CASES: dict[str, Callable[[], Case]] = {
    "ramsey3": lambda: ramsey.case(3),
    "ramsey9": lambda: ramsey.case(9),
    "xy8-2": lambda: decoupling.case(2),
    "xy8-9": lambda: decoupling.case(9),
    "odmr": odmr.case,
    "twisting": twisting.case,
    "chevron": detunings.chevron,
    "quasi-static": detunings.quasi_static,
}
COLD = """
import sys, time
from benchmarks.methods.run import CASES
import qlab.physics.sweeps, qlab.physics.trains, qlab.physics.resonance, qlab.physics.collective
case = CASES[sys.argv[1]]()
began = time.perf_counter(); case.ours(); print(time.perf_counter() - began)
"""


@dataclass(frozen=True)
class Measured:
    """One way of computing one sweep."""

    case: str
    way: str
    seconds: float
    error: float
    note: str = ""


def measured(name: str, *, full: bool) -> Iterator[Measured]:
    """Yield ours, its first call in a fresh process, the plain loop and every peer that is installed."""
    case = CASES[name]()
    checked = _checked(case)
    truth = {i: case.exact(i) for i in checked}
    made = case.ours()
    error = max(float(np.abs(case.at(made, i) - truth[i])) for i in checked)
    yield Measured(case.name, "qlab", seconds(case.ours, 15), error)
    yield Measured(
        case.name, "qlab, first call", _cold(name), error, "in a fresh process, imports not counted"
    )
    yield _plain(case, truth, full=full)
    for way, peer in case.peers.items():
        try:
            yield _peer(case, way, peer, truth)
        except AbsentError:
            yield Measured(case.name, way, np.nan, np.nan, "not installed")


def _checked(case: Case) -> list[int]:
    if case.whole_loop:
        return [0, 33, 150, 199]
    chosen = set(list(case.sampled)[:12])
    for peer in case.peers.values():
        chosen |= set(peer.part or ())
    return sorted(chosen)


def _cold(name: str) -> float:
    found = subprocess.run([sys.executable, "-c", COLD, name], capture_output=True, text=True, check=True)
    return float(found.stdout)


def _plain(case: Case, truth: dict[int, Any], *, full: bool) -> Measured:
    points = range(case.loops) if full else case.sampled
    case.plain(points[1])  # the first call imports
    began = time.perf_counter()
    found = {i: case.plain(i) for i in points}
    spent = (time.perf_counter() - began) * case.loops / len(points)
    note = "" if full else f"{len(points)} of {case.loops} timed, scaled"
    if case.whole_loop:
        error = np.nan
        if full:
            mean = np.mean(list(found.values()), axis=0)
            error = max(float(abs(mean[i] - truth[i])) for i in truth)
    else:
        error = max(float(abs(found[i] - truth[i])) for i in found if i in truth)
    return Measured(case.name, f"plain: {case.how}", spent, error, note)


def _peer(case: Case, way: str, peer: Peer, truth: dict[int, Any]) -> Measured:
    peer.run()  # imports, and compiles what is compiled
    began = time.perf_counter()
    found = peer.run()
    spent = time.perf_counter() - began
    if peer.part is None:
        made: Computed = np.asarray(found)
        if spent < 1:
            spent = seconds(peer.run, 3)
        return Measured(case.name, way, spent, max(float(abs(case.at(made, i) - truth[i])) for i in truth))
    points = list(peer.part)
    error = max(float(abs(value - truth[i])) for i, value in zip(points, found, strict=True))
    note = f"{len(points)} of {peer.whole} timed, scaled"
    return Measured(case.name, way, spent * peer.whole / len(points), error, note)


def table(rows: list[Measured]) -> str:
    """Return a markdown table; the ratio is how many times longer than qlab."""
    lines = ["| sweep | way | time | times qlab | largest error | |", "|---|---|---|---|---|---|"]
    ours = {row.case: row.seconds for row in rows if row.way == "qlab"}
    for row in rows:
        ratio = row.seconds / ours[row.case]
        cells = (
            row.case,
            row.way,
            "–" if np.isnan(row.seconds) else shown(row.seconds),
            "–" if np.isnan(ratio) else f"{ratio:,.3g}" if ratio < 1000 else f"{ratio:,.0f}",
            "–" if np.isnan(row.error) else f"{row.error:.0e}",
            row.note,
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def goals(rows: list[Measured]) -> str:
    """Return one line for each goal of the project: met, or missed and by how much."""
    lines = []
    for make in CASES.values():
        case = make()
        mine = [row for row in rows if row.case == case.name]
        if not mine:
            continue
        own, plain = mine[0], next(row for row in mine if row.way.startswith("plain"))
        ratio = plain.seconds / own.seconds
        verdict = "met" if ratio >= case.goal and own.error <= case.bound else "MISSED"
        lines.append(
            f"{case.name}: {ratio:,.0f} x over the plain loop (goal {case.goal:,.0f}), "
            f"error {own.error:.0e} (bound {case.bound:.0e}): {verdict}"
        )
    return "\n".join(lines)


def write(rows: list[Measured], folder: Path) -> None:
    """Write methods.csv, methods.md and, where matplotlib is installed, methods.png."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "methods.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["sweep", "way", "seconds", "error", "note"])
        writer.writerows([row.case, row.way, row.seconds, row.error, row.note] for row in rows)
    (folder / "methods.md").write_text(table(rows) + "\n\n" + goals(rows) + "\n", encoding="utf-8")
    try:
        import matplotlib as mpl
    except ImportError:
        return
    mpl.use("agg")
    from matplotlib import pyplot as plt

    names = list(dict.fromkeys(row.case for row in rows))
    figure, axes = plt.subplots(figsize=(9, 5), layout="constrained")
    for row in rows:
        colour = "C3" if row.way == "qlab" else "C1" if row.way.startswith("plain") else "C0"
        axes.plot(row.seconds, names.index(row.case), "o", color=colour, alpha=0.8)
    axes.set(xscale="log", yticks=range(len(names)), xlabel="time of the sweep (s)")
    axes.set_yticklabels(names)
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.3)
    axes.set_title("qlab (red), the plain loop (orange), others (blue)", fontsize=10)
    figure.savefig(folder / "methods.png", dpi=120)
    plt.close(figure)

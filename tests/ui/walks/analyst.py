"""The analyst: drops a folder, filters, overlays, plots T2* against the field, fits all, leaves with a notebook."""

import json
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit

from tests.ui.walks.hand import Hand
from tests.ui.walks.pictures import Album

RUNS, CHOSEN = 18, 12


def prepare(home: Path) -> None:
    """Measure runs at several fields elsewhere, and tag those with a long T2*."""
    import qlab
    from qlab.store.sidecar import edit_sidecar

    for place in range(RUNS):
        long = place < CHOSEN
        truth = {"B": 2e-3 + place * 5e-7, "sigma_detuning": 50e3 if long else 300e3}
        bench = qlab.Bench.load("sim-nv", seed=place, truth=truth)
        run = qlab.run(
            "nv.ramsey", bench, out=home / "from-the-lab", seed=place, tau="0us:6us:121", shots=10**6
        )
        edit_sidecar(run.path, tags=["nv"])


def walk(hand: Hand, album: Album, folder: Path) -> None:
    """Walk the five minutes of `reference/desktop.md`, row *analyst*."""
    window, runs = hand.window, hand.window.runs
    hand.wait("the bench is up", lambda: window.bench.ready)

    # Minute 1: a folder is dropped, its runs are listed.
    hand.drop(folder / "from-the-lab")
    hand.wait("all are listed", lambda: len(runs.model.lines) == RUNS)
    album.take(window, "1-dropped")

    # Minute 2: the search language.
    hand.click(runs.search)
    hand.type("ramsey tag:nv t2_star>2us")
    hand.wait("the long ones are found", lambda: len(runs.model.lines) == CHOSEN)
    album.take(window, "2-search")

    # Minute 3: twelve over each other, and T2* against the field.
    hand.click_item(runs.table, runs.model.index(0, 3))
    hand.click_item(runs.table, runs.model.index(CHOSEN - 1, 3), Qt.KeyboardModifier.ShiftModifier)
    assert len(runs.chosen()) == CHOSEN
    hand.key("Ctrl+M")
    hand.wait("all are drawn", lambda: (p := window.centre.current()) and len(p.view.overlays) == CHOSEN - 1)
    hand.pause(600)
    album.take(window, "3-overlay")

    # Minute 4: one model for all, a table with errors; then the trend.
    hand.menu("Analysis", "Fit chosen runs")
    dialog = hand.dialog("refit")
    hand.click(dialog.start)
    hand.wait("all are fitted", lambda: f"of {CHOSEN} fits are good" in dialog.line.text(), 60)
    album.take(window, "4-fits", dialog)
    assert "(" in dialog.tree.topLevelItem(0).text(3)
    hand.click(dialog.plot_button)
    hand.wait("the trend is drawn", lambda: "rend" in type(window.centre.drawn()).__name__)
    hand.key("Escape")
    hand.pause(600)
    album.take(window, "4-trend")

    # Minute 5: a notebook that opens the run.
    hand.click_item(runs.table, runs.model.index(0, 3))
    hand.key("Return")
    hand.wait("the run is open", window.centre.current)
    hand.key("Ctrl+E")
    saving = hand.dialog("QFileDialog")
    kinds = next(box for box in saving.findChildren(QComboBox) if "Jupyter" in _texts(box))
    hand.click(kinds)
    hand.type_ahead("Whole run: Jupyter")
    hand.key("Return")
    hand.click(next(line for line in saving.findChildren(QLineEdit) if line.objectName() == "fileNameEdit"))
    hand.type(str(folder / "mine.ipynb"))
    hand.key("Return")
    made = folder / "mine.ipynb"
    hand.wait("the notebook is written", made.exists)
    assert "open_run" in json.dumps(json.loads(made.read_text(encoding="utf-8")))


def _texts(box: QComboBox) -> str:
    return " ".join(box.itemText(i) for i in range(box.count()))

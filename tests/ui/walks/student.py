"""The student: Return and fringes grow, F1, another T2*, the fit beside the truth, a Hahn echo beside it, export."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from tests.ui.walks.hand import Hand
from tests.ui.walks.pictures import Album


def walk(hand: Hand, album: Album, folder: Path) -> None:
    """Walk the five minutes of `reference/desktop.md`, row *student*."""
    window = hand.window
    hand.wait("the bench is up", lambda: window.bench.ready)
    hand.wait("the estimate is there", lambda: "points" in window.form.estimate.text())
    album.take(window, "0-welcome")

    # Minute 1: Return, and fringes grow.
    assert window.focusWidget() is window.welcome.run_button, window.focusWidget()
    hand.key("Return")
    hand.wait("points are drawn", lambda: (p := window.centre.current()) and len(p.rows) > 800)
    album.take(window, "1-running")
    hand.wait("the run is through", lambda: not window.at_work.busy)
    first = window.centre.current().record
    assert first.experiment == "nv.ramsey"
    assert first.state == "finished"

    # Minute 2: F1 says what it is, with an equation and a picture.
    hand.key("F1")
    hand.wait("the help is seen", window.help.browser.isVisible)
    hand.pause(300)
    assert "Ramsey" in window.help.browser.toPlainText()
    assert window.help.browser.document().toHtml().count("<img") >= 2
    album.take(window, "2-help")

    # Minute 3: twice the noise, so half of T2*; both curves are shown.
    hand.menu("Instruments", "Simulated world")
    dialog = hand.dialog("simulated_world")
    hand.type("T2*")
    hand.click(dialog.rows["sigma_detuning"].editor.line)
    hand.type("225 kHz")
    album.take(window, "3-world", dialog)
    hand.click(dialog.buttons.button(dialog.buttons.StandardButton.Ok))
    _run(hand)
    second = window.centre.current().record
    assert second.truth["sigma_detuning"] == 225e3
    assert second.truth["T2_star"] < 0.51 * first.truth["T2_star"]
    _both(hand)
    album.take(window, "3-both")

    # Minute 4: T2* with its error, and the truth beside it.
    hand.wait("the fit is there", window.result.reveal_button.isVisible)
    hand.click(window.result.reveal_button)
    fit = window.fitting.result(window.centre.current())
    found = {p.name: p for p in fit.parameters}
    assert {p.label for p in found.values() if p.error} >= {"T2*"}, found
    hand.wait("the truth is beside it", lambda: "truth (SIM)" in _result(window))
    album.take(window, "4-truth")

    # Minute 5: compare with a Hahn echo; picture and values are saved.
    hand.click_leaf(window.experiments.tree, "Hahn echo")
    hand.wait("its form is there", lambda: window.form.experiment == "nv.hahn_echo")
    _run(hand)
    assert window.centre.current().record.experiment == "nv.hahn_echo"
    _both(hand)
    album.take(window, "5-echo")
    for ending in ("png", "csv"):
        hand.key("Ctrl+E")
        saving = hand.dialog("QFileDialog")
        assert isinstance(saving, QFileDialog)
        hand.type(str(folder / f"mine.{ending}"))
        hand.key("Return")
        hand.wait(f"the {ending} is written", (folder / f"mine.{ending}").exists)


def _run(hand: Hand) -> None:
    """Run with Ctrl+Return and wait for the end."""
    window = hand.window
    before = {page.record.id for page in window.centre.pages()}
    hand.key("Ctrl+Return")
    hand.wait("another run is shown", lambda: {p.record.id for p in window.centre.pages()} - before)
    hand.wait("it is through", lambda: not window.at_work.busy)
    hand.wait("it is listed", lambda: all(line.path for line in window.runs.model.lines))


def _both(hand: Hand) -> None:
    """Choose the two newest runs in the list and draw them over each other."""
    window, runs = hand.window, hand.window.runs
    hand.click_item(runs.table, runs.model.index(0, 3))
    hand.click_item(runs.table, runs.model.index(1, 3), Qt.KeyboardModifier.ControlModifier)
    hand.key("Ctrl+M")
    hand.wait("both are drawn", lambda: (p := window.centre.current()) and getattr(p.view, "overlays", ()))
    hand.pause(900)


def _result(window) -> str:
    from PySide6.QtWidgets import QLabel

    return " ".join(label.text() for label in window.result.findChildren(QLabel) if label.isVisible())

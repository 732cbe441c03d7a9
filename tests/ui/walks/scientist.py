"""The scientist: connects instruments, tests them, runs yesterday's run again, queues, stops, writes a note, stars."""

from pathlib import Path

from PySide6.QtWidgets import QTabBar

from tests.ui.walks.hand import Hand
from tests.ui.walks.pictures import Album

PACE = 12.0  # s: time to queue two more and to stop


def prepare(home: Path) -> None:
    """Leave yesterday's run in the data folder."""
    import qlab

    qlab.run("nv.ramsey", "sim-nv", out=home / "qlab" / "data", seed=4, tau="0us:3us:61", shots=40_000)


def walk(hand: Hand, album: Album, folder: Path) -> None:
    """Walk the five minutes of `reference/desktop.md`, row *bench scientist*; the devices behind it are simulated."""
    window = hand.window
    hand.wait("the bench is up", lambda: window.bench.ready)
    hand.wait("yesterday's run is listed", lambda: len(window.runs.model.lines) == 1)

    # Minutes 1 and 2: drivers and addresses, each instrument tested, roles, saved under a name of one's own.
    hand.click(window.welcome.begin.connect_button)
    editor = hand.dialog("bench_editor")
    hand.wait("the instruments are listed", lambda: editor.tree.topLevelItemCount() > 3)
    hand.wait("the drivers are found", lambda: "drivers installed" in editor.message.text())
    hand.click(editor.test_button)
    names = editor.tree.topLevelItemCount()
    hand.wait("all answer", lambda: f"{names} of {names} tested" in editor.message.text())
    assert all(editor.tree.topLevelItem(i).text(1) for i in range(names))
    hand.click(editor.file)
    hand.type("nv-setup-2")
    album.take(window, "1-bench", editor)
    hand.click(editor.use_button)
    hand.wait("the bench is in use", lambda: window.settings.bench.endswith("nv-setup-2.toml"))
    assert window.bars.sim.isVisible()  # its devices are simulated: that is said from the first moment
    assert (folder / "config" / "benches" / "nv-setup-2.toml").is_file()

    # Minute 3: yesterday's run again; its values fill the form.
    hand.click_item(window.runs.table, window.runs.model.index(0, 3))
    hand.key("Return")
    hand.wait("it is open", window.centre.current)
    hand.key("Ctrl+Shift+R")
    hand.wait("it runs", lambda: window.at_work.busy)
    assert window.form.values()["shots"] == 40_000
    hand.wait("it is through", lambda: not window.at_work.busy)
    album.take(window, "3-again")

    # Minute 4: the estimate, and three experiments in the queue.
    for words, name in (
        ("pulsed ODMR", "nv.pulsed_odmr"),
        ("Ramsey fringes", "nv.ramsey"),
        ("Rabi oscillation", "nv.rabi"),
    ):
        hand.click(window.experiments.search)
        hand.type(words)
        hand.key("Return")
        hand.wait(f"the form of {name} is there", lambda name=name: window.form.experiment == name)
        hand.wait("it is estimated", lambda: "~" in window.form.estimate.text())
        hand.key("Ctrl+Shift+Return")
    hand.wait("the first of them runs", lambda: window.at_work.busy)
    _tab(hand, "Queue")
    hand.wait("two wait", lambda: window.queue.model.rowCount() >= 2)
    album.take(window, "4-queue")

    # Minute 5: stop after this point, a note, a star.
    hand.wait("it measures", lambda: (p := window.centre.current()) and p.live() and len(p.rows) > 50)
    stopped = window.centre.current().record.id
    hand.key("Ctrl+Backspace")
    hand.wait("it is stopped", lambda: window.centre.page(stopped).record.state == "stopped")
    _tab(hand, "Runs")
    _tab(hand, "Notes")
    hand.click(window.notes.text)
    hand.type("Fringes as yesterday.")
    hand.click(window.notes.star)
    hand.key("Ctrl+S")
    hand.wait("it is starred in the list", lambda: any(line.star for line in window.runs.model.lines))
    album.take(window, "5-note")


def _tab(hand: Hand, words: str) -> None:
    """Click on the tab of a pane."""
    for bar in hand.window.findChildren(QTabBar):
        for place in range(bar.count()):
            if bar.isVisible() and bar.tabText(place).startswith(words):
                hand.click(bar, at=bar.tabRect(place).center())
                return
    raise AssertionError(f"no tab says {words}")

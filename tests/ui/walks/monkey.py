"""The monkey: real mouse and key events at random on the real program, with a simulated bench behind it."""

import os
import random
import sys
import time
from pathlib import Path

from PySide6.QtCore import QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QAction, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QDialog,
    QLineEdit,
    QMenu,
    QMessageBox,
    QTabBar,
    QTextEdit,
    QWidget,
)

from qlab_ui.actions import ACTIONS
from tests.ui.walks.hand import Hand
from tests.ui.walks.pictures import Album

PACE = 2.0  # s
CONTROLS = (QAbstractButton, QAbstractItemView, QComboBox, QLineEdit, QTextEdit, QTabBar)
KEYS = (
    "Tab",
    "Shift+Tab",
    "Escape",
    "Return",
    "Up",
    "Down",
    "Left",
    "Right",
    "PgDown",
    "Delete",
    "Space",
    "Home",
)
WORDS = (
    "4 us",
    "2.87 GHz",
    "-1",
    "1e999",
    "0us:4us:51",
    "1,2,3",
    ":::",
    "µ",
    "ramsey",
    "log:0:1:3",
    "",
    "t2_star>2us",
)
# They end the program, or leave it for another.
LEFT_OUT = {"quit", "full_screen", "report_issue"}


def walk(hand: Hand, album: Album, folder: Path) -> None:
    """Do `QLAB_MONKEY` actions (1,000); then stop all, make safe, and look that nothing raised and all is safe."""
    window, rng = hand.window, random.Random(int(os.environ.get("QLAB_SEED", "1")))
    os.chdir(folder)  # whatever it saves
    hand.wait("the bench is up", lambda: window.bench.ready)
    done: list[str] = []
    since = [time.monotonic()]  # the last thing that was done
    # A menu that was opened waits for an answer in a loop of its own.
    impatient = QTimer(window, interval=400)
    impatient.timeout.connect(lambda: answer_menu(rng) or leave_question(since[0]))
    impatient.start()
    for number in range(int(os.environ.get("QLAB_MONKEY", "1000"))):
        try:
            since[0] = time.monotonic()
            done.append(act(hand, rng))
            if os.environ.get("QLAB_MONKEY_TELLS"):
                print(f"{time.monotonic():.2f} {done[-1]}", file=sys.stderr, flush=True)
        except RuntimeError as error:
            if "already deleted" not in str(error):  # a widget that went while it was reached for
                raise
        QTest.qWait(rng.randrange(5, 60))
        if number % 20 == 19:
            leave_dialogs(rng)
        if not window.isVisible():
            raise AssertionError(f"the window went after {done[-5:]}")
    album.take(window, "thousand")
    for _ in range(3):
        leave_dialogs(rng, all_of_them=True)
    window.activateWindow()
    hand.pause(1500)  # what was ordered last is not heard of yet
    data = folder / "qlab" / "data"
    hand.wait("all that waits is gone", lambda: emptied(hand) and not list(data.rglob("*.part.h5")), 120)
    told = safe(window.log.lines(100_000))
    hand.key("Ctrl+Alt+Escape")
    hand.wait("it is told that all is safe", lambda: safe(window.log.lines(100_000)) > told, 60)
    check_files(folder)


def act(hand: Hand, rng: random.Random) -> str:
    """Do one thing; return what."""
    if said := answer_menu(rng):
        return said
    top = QApplication.activeModalWidget() or QApplication.activeWindow() or hand.window
    turn = rng.random()
    if turn < 0.3:
        action = rng.choice([a for a in ACTIONS if a.keys and a.id not in LEFT_OUT])
        hand_key(top, action.keys[0])
        return action.id
    if turn < 0.65:
        seen = [w for w in top.findChildren(QWidget) if isinstance(w, CONTROLS) and shown(w)]
        if seen:
            widget = rng.choice(seen)
            where = widget.viewport() if isinstance(widget, QAbstractItemView) else widget
            at = QPoint(rng.randrange(max(where.width(), 1)), rng.randrange(max(where.height(), 1)))
            button = Qt.MouseButton.RightButton if rng.random() < 0.1 else Qt.MouseButton.LeftButton
            name = f"click {type(widget).__name__} {widget.objectName() or widget.accessibleName()}"
            QTest.mouseClick(where, button, pos=at)
            return name
    if turn < 0.8:
        focused = QApplication.focusWidget() or top
        if isinstance(focused, QLineEdit | QTextEdit | QComboBox):
            hand_key(focused, "Ctrl+A")
        QTest.keyClicks(focused, rng.choice(WORDS))
        return "typed"
    if turn < 0.9:
        key = rng.choice(KEYS)
        hand_key(QApplication.focusWidget() or top, key)
        return key
    if turn < 0.95:
        return wheel(hand, rng)
    hand_key(hand.window, "Ctrl+Return")
    return "run"


def answer_menu(rng: random.Random) -> str:
    """Choose in the menu that is open, or close it; return what, nothing where none is."""
    popup, asked = QApplication.activePopupWidget(), QApplication.activeModalWidget()
    if isinstance(asked, QMessageBox):  # Qt's own, of a file dialog
        asked.reject()
        return "question left"
    if popup is None:
        return ""
    if isinstance(popup, QMenu) and rng.random() < 0.6:
        lines = [a for a in popup.actions() if a.isEnabled() and not a.isSeparator() and not leaves(a)]
        if lines:
            chosen = rng.choice(lines)
            QTest.mouseClick(popup, Qt.MouseButton.LeftButton, pos=popup.actionGeometry(chosen).center())
            return f"menu {chosen.text()}"
    popup.close()
    return "menu closed"


def leave_question(since: float) -> None:
    """Close what holds everything up: a question of Qt's own dialogs waits in a loop of its own."""
    if time.monotonic() - since < 2:
        return
    for widget in QApplication.topLevelWidgets():
        if isinstance(widget, QDialog) and widget.isVisible():
            if os.environ.get("QLAB_MONKEY_TELLS"):
                print(f"left: {type(widget).__name__} {widget.windowTitle()}", file=sys.stderr, flush=True)
            widget.reject()
            return
    # A line of a list was dragged and not let go.
    QTest.keyClick(next(w for w in QApplication.topLevelWidgets() if w.isVisible()), Qt.Key.Key_Escape)


def hand_key(widget: QWidget, keys: str) -> None:
    """Press keys at a widget."""
    QTest.keySequence(widget, keys)


def shown(widget: QWidget) -> bool:
    """Say whether a widget can be clicked on."""
    return widget.isVisible() and widget.isEnabled() and not widget.visibleRegion().isEmpty()


def leaves(action: QAction) -> bool:
    """Say whether a line of a menu ends the program or opens another one."""
    return action.text().replace("&", "").split("…")[0] in {"Quit", "Full screen", "Report an issue"}


def wheel(hand: Hand, rng: random.Random) -> str:
    """Turn the wheel, or drag, over what is drawn."""
    middle = hand.window.centralWidget()
    at = QPoint(rng.randrange(1, max(middle.width(), 2)), rng.randrange(1, max(middle.height(), 2)))
    target = middle.childAt(at) or middle
    place = target.mapFrom(middle, at)
    if rng.random() < 0.5:
        up = QPoint(0, rng.choice((-120, 120)))
        turned = QWheelEvent(
            QPointF(place), QPointF(target.mapToGlobal(place)), QPoint(), up, Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(target, turned)
        return "wheel"
    QTest.mousePress(target, Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseMove(target, place + QPoint(rng.randrange(-80, 80), rng.randrange(-60, 60)))
    QTest.mouseRelease(target, Qt.MouseButton.LeftButton, pos=place + QPoint(10, 10))
    return "drag"


def leave_dialogs(rng: random.Random, *, all_of_them: bool = False) -> None:
    """Close what stands in front, as a person does sooner or later."""
    for widget in QApplication.topLevelWidgets():
        if isinstance(widget, QMenu | QDialog) and widget.isVisible() and (all_of_them or rng.random() < 0.7):
            widget.close()
    QTest.qWait(20)


def emptied(hand: Hand) -> bool:
    """Stop what runs; say whether nothing runs and nothing waits."""
    window = hand.window
    if window.queue.held:
        window.queue.hold_button.click()
    if window.at_work.busy:
        hand_key(window, "Ctrl+Shift+Backspace")
        hand_key(window, "Ctrl+Backspace")
        QTest.qWait(300)
    return not window.at_work.busy


def safe(lines: list[str]) -> int:
    """Count the lines of the log that speak of safety."""
    return sum("safe" in line.lower() for line in lines)


def check_files(folder: Path) -> None:
    """Every run left a file that opens, and ended with every instrument safe."""
    import qlab

    files = sorted((folder / "qlab" / "data").rglob("*.h5"))
    assert files, "nothing was measured"
    for file in files:
        run = qlab.open_run(file)
        said = run.record.safe_report
        assert run.state in {"finished", "stopped", "halted", "failed"}, (file.name, run.state)
        assert said, file.name
        assert all(text.startswith("safe") for text in said.values()), (file.name, said)

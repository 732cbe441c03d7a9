"""Notifications of long runs and progress in the task bar, the latter on a real session bus."""

import os
import shutil
import subprocess
import sys

import pytest
from PySide6.QtGui import QIcon, QPixmap

from qlab import desktop
from qlab_ui import notices

_SEND = """
import os, sys
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from PySide6.QtCore import QCoreApplication
app = QCoreApplication([])
from qlab_ui import notices
import time
time.sleep(0.5)
notices.show_progress(0.25, shown=True)
notices.show_progress(0.0, shown=False)
time.sleep(0.5)
"""


@pytest.fixture
def told(window, monkeypatch):
    """What is said to a person who looks elsewhere."""
    said = []
    window.notices.ways = [lambda title, words: bool(said.append((title, words))) or True]
    monkeypatch.setattr(window, "isActiveWindow", lambda: False)
    return said


def ended(window, state="finished", reason=""):
    window.notices._state({"run": "r", "state": state, "reason": reason, "record": {"title": "Ramsey"}})


def test_the_end_of_a_long_run_is_told_to_who_looks_elsewhere(window, told, monkeypatch):
    monkeypatch.setattr(notices.time, "monotonic", lambda: 1000.0)
    window.notices._began["r"] = 1000.0 - 200
    ended(window)
    assert told == [("Ramsey has finished", "after 3 min 20 s")]
    window.notices._began["r"] = 1000.0 - 61
    ended(window, "failed", "The laser did not answer.")
    assert told[1] == ("Ramsey has failed", "after 1 min 01 s: The laser did not answer.")


def test_a_short_run_and_one_that_is_watched_are_not_told(window, told, monkeypatch):
    monkeypatch.setattr(notices.time, "monotonic", lambda: 1000.0)
    window.notices._began["r"] = 1000.0 - 59
    ended(window)
    monkeypatch.setattr(window, "isActiveWindow", lambda: True)
    window.notices._began["r"] = 0.0
    ended(window)
    assert told == []


@pytest.mark.skipif(
    not shutil.which("dbus-run-session") or not shutil.which("dbus-monitor"), reason="no D-Bus here"
)
def test_progress_reaches_the_bus_as_the_task_bars_read_it(tmp_path):
    script = tmp_path / "send.py"
    script.write_text(_SEND)
    match = "type='signal',interface='com.canonical.Unity.LauncherEntry'"
    line = f'dbus-monitor --session "{match}" > {tmp_path}/heard & m=$!; {sys.executable} {script}; kill $m'
    subprocess.run(["dbus-run-session", "--", "sh", "-c", line], check=True, timeout=60, env=dict(os.environ))
    heard = (tmp_path / "heard").read_text()
    assert "application://qlab.desktop" in heard
    assert "double 0.25" in heard
    assert "boolean true" in heard
    assert "boolean false" in heard


def test_the_icon_can_be_drawn(app, tmp_path):
    (tmp_path / "qlab.svg").write_text(desktop.icon())
    drawn = QIcon(str(tmp_path / "qlab.svg")).pixmap(128, 128)
    assert isinstance(drawn, QPixmap)
    if not drawn.isNull():  # Qt's SVG plug-in is there
        colours = {
            drawn.toImage().pixelColor(x, y).name() for x in range(0, 128, 4) for y in range(0, 128, 4)
        }
        assert {"#12324a", "#56b4e9"} <= colours

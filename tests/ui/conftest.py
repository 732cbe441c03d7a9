"""One application for all, a fresh configuration for each, and no window may be left behind."""

import gc
import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from qlab.settings import Settings
from qlab_ui import theme
from qlab_ui.app import make_application, make_window
from tests.ui.fakes import FakeSession, FakeWorker


@pytest.fixture(scope="session")
def app():
    return make_application(["qlab"])


@pytest.fixture(autouse=True)
def tidy(app, tmp_path, monkeypatch):
    """A configuration of its own, the light theme, and no widget left at the end."""
    monkeypatch.setenv("QLAB_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("QLAB_RUNTIME", str(tmp_path / "runtime"))
    # A frame takes what there is, however slow the machine: tests count frames.
    monkeypatch.setattr("qlab_ui.feed._SHARE", 60.0)
    theme.apply(app, "light")
    yield
    for _ in range(3):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        app.processEvents()
    gc.collect()
    left = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    names = [f"{type(widget).__name__} {widget.objectName()}" for widget in left]
    for widget in left:
        widget.close()
    assert not names, f"left behind: {names}"


@pytest.fixture
def settings(tmp_path):
    return Settings(data_folder=str(tmp_path / "data"), theme="light")


@pytest.fixture
def session(tmp_path):
    return FakeSession(tmp_path)


@pytest.fixture
def worker():
    return FakeWorker()


@pytest.fixture
def window(app, session, settings, worker):
    """A window on a fake session, shown and ready; time passes only by `pass_frames`."""
    made = make_window(session, settings, worker)
    made.resize(1440, 900)
    made.show()
    made.timer.stop()
    QTest.qWaitForWindowExposed(made)
    made.activateWindow()
    while not made._warm_up.over:  # or what it brings would come in the middle of a test
        QTest.qWait(5)
    made.tick()
    yield made
    made.close()
    made.deleteLater()

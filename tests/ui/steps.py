"""Small steps that many tests take."""

import time

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication


def frames(window, count=1):
    for _ in range(count):
        window.tick()
        QApplication.processEvents()


def until(window, condition, most=2000):
    for _ in range(most):
        frames(window)
        if condition():
            return
    raise AssertionError("it did not happen")


def settle(form, window):
    """Let the debounced check go out and its answer come in."""
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        QTest.qWait(20)
    frames(window, 2)


def finish(window):
    until(window, lambda: not window.at_work.busy)
    window.fitting._due = 0.0
    frames(window, 3)

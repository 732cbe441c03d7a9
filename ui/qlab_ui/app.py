"""The application: look, error dialog, session, window."""

import gc
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from qlab.errors import QlabError
from qlab.session import Session
from qlab.settings import Settings, load_settings
from qlab_ui import theme
from qlab_ui.window import MainWindow
from qlab_ui.worker import Worker

_SETTLED_MS = 5000  # after the start all is there that stays


def make_window(session: Session, settings: Settings, worker: Worker | None = None) -> MainWindow:
    """Return a window for a session; the caller shows it."""
    return MainWindow(session, settings, worker)


def make_application(arguments: list[str]) -> QApplication:
    """Return the application, the one that is there already where there is one."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    QApplication.setApplicationName("qlab")
    QApplication.setApplicationDisplayName("")
    QApplication.setDesktopFileName("qlab")
    return QApplication(arguments)


def show_exceptions(window: MainWindow) -> None:
    """Show an exception that nobody caught in the dialog for errors, not on a console nobody sees."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            window.close()
            return
        details = "".join(traceback.format_exception(kind, error, trace))
        if isinstance(error, QlabError):
            message, hint = error.message, error.hint
        else:
            message = f"A fault in qlab: {kind.__name__}: {error}"
            hint = "The run, if any, goes on and is kept. Copy the report and send it to the developers."
        # After the call that failed has been left, so that the dialog cannot be caught up in it.
        QTimer.singleShot(0, window, lambda: _show(window, message, hint, details))

    sys.excepthook = hook


def _show(window: MainWindow, message: str, hint: str, details: str) -> None:
    window.log.add("error", message)
    if window.findChild(type(window), "error_dialog") is None:
        window.show_error(message, hint, details)


def settle() -> None:
    """Let the garbage collector pass over what stays for good: looking through all of it takes several frames."""
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


def main(argv: list[str] | None = None) -> int:
    """Open the window and stay until it is closed."""
    from qlab.service import client

    arguments = list(sys.argv if argv is None else ["qlab", *argv])
    fresh = "--fresh" in arguments
    settings, healed = (Settings(), []) if fresh else load_settings()
    wanted = [Path(part) for part in arguments[1:] if not part.startswith("-")]
    app = make_application([part for part in arguments if part != "--fresh"])
    theme.apply(app, settings.theme, settings.text_size)
    sys.setswitchinterval(0.0005)  # a busy thread of a library must not hold up the frames
    session = client.connect(at_once=False)
    window = make_window(session, settings)
    window.seen.connect(session.begin)
    for line in healed:
        window.tell("warning", line)
    show_exceptions(window)
    hints: Any = app.styleHints()  # the stubs lose the signal behind the property of the same name
    hints.colorSchemeChanged.connect(lambda _scheme: theme.apply(app, settings.theme, settings.text_size))
    window.show()
    if wanted:
        QTimer.singleShot(0, window, lambda: window.files.drop(wanted))
    QTimer.singleShot(_SETTLED_MS, window, settle)
    return int(app.exec())

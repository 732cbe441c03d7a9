"""Word of a long run to a person who looks elsewhere: a notification of the desktop, and progress in the task bar."""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QProcess
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from qlab.record import ENDED
from qlab.session import Event
from qlab_ui import icons, text

if TYPE_CHECKING:
    from qlab_ui.window import MainWindow

LONG = 60.0  # s: the end of a shorter run is waited for
_EVERY = 0.5  # s between two messages to the task bar
_TRAY_MS = 15_000
_WORDS = {
    "finished": "has finished",
    "stopped": "was stopped",
    "failed": "has failed",
    "interrupted": "was cut off",
}


class Notices:
    """Follows the runs; says the end of a long one where the window is not looked at."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._began: dict[str, float] = {}
        self._next = 0.0
        self._tray: QSystemTrayIcon | None = None
        self.ways = [_notify_send, _portal, self._from_tray]  # the first that can takes it
        window.feed.on("started", self._started)
        window.feed.on("progress", self._progress)
        window.feed.on("state", self._state)

    def close(self) -> None:
        """Leave the task bar and the tray."""
        if self._tray is not None:
            self._tray.hide()
            self._tray = None

    def _started(self, event: Event) -> None:
        self._began.setdefault(_run(event), time.monotonic())

    def _progress(self, event: Event) -> None:
        now, total = time.monotonic(), int(event.get("total") or 0)
        if total and now >= self._next:
            self._next = now + _EVERY
            show_progress(int(event.get("done") or 0) / total, shown=True)

    def _state(self, event: Event) -> None:
        if event.get("state") not in ENDED:
            return
        show_progress(0.0, shown=False)
        began = self._began.pop(_run(event), None)
        taken = time.monotonic() - began if began is not None else 0.0
        if taken < LONG or self._window.isActiveWindow():
            return
        record = event.get("record") or {}
        title = str(record.get("title") or record.get("experiment") or "The run")
        reason = str(event.get("reason") or "")
        words = f"after {text.duration(taken)}" + (f": {reason}" if reason else "")
        heading = f"{title} {_WORDS.get(str(event['state']), str(event['state']))}"
        QApplication.alert(self._window)
        for way in self.ways:
            if way(heading, words):
                return

    def _from_tray(self, title: str, words: str) -> bool:
        if not (QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages()):
            return False
        if self._tray is None:
            self._tray = QSystemTrayIcon(icons.icon("run"), self._window)
            self._tray.messageClicked.connect(self._window.activateWindow)
        self._tray.show()
        self._tray.showMessage(title, words, QSystemTrayIcon.MessageIcon.Information, _TRAY_MS)
        return True


def _run(event: Event) -> str:
    record = event.get("record")
    return str(event.get("run") or (record or {}).get("id") or "")


def _notify_send(title: str, words: str) -> bool:
    """Ask the desktop's own tool, which knows whatever stands behind it."""
    tool = shutil.which("notify-send") if sys.platform.startswith("linux") else None
    started = tool is not None and QProcess.startDetached(
        tool, ["--app-name=qlab", "--icon=qlab", "--", title, words]
    )
    return bool(started[0] if isinstance(started, tuple) else started)


def _portal(title: str, words: str) -> bool:
    """Ask the desktop's portal over D-Bus."""
    bus = _bus()
    service = "org.freedesktop.portal.Desktop"
    if bus is None or not bus.interface().isServiceRegistered(service).value():
        return False
    from PySide6.QtDBus import QDBusMessage

    call = QDBusMessage.createMethodCall(
        service, "/org/freedesktop/portal/desktop", "org.freedesktop.portal.Notification", "AddNotification"
    )
    call.setArguments(["qlab-run", {"title": title, "body": words}])
    return bool(bus.send(call))


def show_progress(share: float, *, shown: bool) -> None:
    """Show progress on the icon of the task bar, where the desktop listens (KDE, Ubuntu's dock and their like)."""
    bus = _bus()
    if bus is None:
        return
    from PySide6.QtDBus import QDBusMessage

    signal = QDBusMessage.createSignal("/", "com.canonical.Unity.LauncherEntry", "Update")
    signal.setArguments(
        ["application://qlab.desktop", {"progress": min(max(share, 0.0), 1.0), "progress-visible": shown}]
    )
    bus.send(signal)


def _bus() -> Any:
    """Return the bus of the session, None where there is none: nothing is started for it."""
    if not sys.platform.startswith("linux") or not os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return None
    from PySide6.QtDBus import QDBusConnection

    bus = QDBusConnection.sessionBus()
    return bus if bus.isConnected() else None

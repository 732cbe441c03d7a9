"""The status bar: state, points, progress, time left, where the data go, warnings."""

import shutil
from pathlib import Path

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QLabel, QStatusBar, QToolButton, QWidget

from qlab.session import Event
from qlab_ui import icons, text, theme
from qlab_ui.progress import Progress

_LOW = 1e9  # bytes: below this the free space is a warning


class StatusLine(QStatusBar):
    """What goes on, in one line."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("status")
        self.setSizeGripEnabled(False)
        unit = self.fontMetrics().averageCharWidth()
        self.setContentsMargins(unit, 0, unit, 0)
        self._icon_name = "wait"
        self._icon = QLabel(self)
        self.state = self._label("state_text")
        self.count = self._label("count_text")
        self.bar = Progress(self)
        self.bar.setObjectName("progress")
        self.bar.setAccessibleName("Progress of the run")
        self.left = self._label("left_text")
        # Wide enough for the longest text, so that it is never cut while it changes.
        self.left.setMinimumWidth(unit * 32)
        self.folder = self._label("folder_text")
        self.folder.setForegroundRole(theme.MUTED)
        self.warnings = QToolButton(self)
        self.warnings.setObjectName("warnings")
        self.warnings.setAutoRaise(True)
        self.warnings.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        left: list[QWidget] = [self._icon, self.state, self.count, self.bar, self.left]
        for widget in left:
            self.addWidget(widget)
        self.addPermanentWidget(self.folder)
        self.addPermanentWidget(self.warnings)
        self.show_warnings(0)
        self.show_state("wait", "Starting the bench")

    def show_state(self, icon: str, words: str) -> None:
        """Say what goes on; without a run there is no progress to show."""
        self._icon_name = icon
        side = self.fontMetrics().height()
        self._icon.setPixmap(icons.icon(icon).pixmap(side, side))
        self.state.setText(words)

    def rest(self) -> None:
        """Take the progress away."""
        for widget in self._moving():
            widget.hide()

    def show_progress(self, event: Event) -> None:
        """Show how far a run is, how long it takes, and when it ends."""
        done, total = int(event.get("done", 0)), int(event.get("total", 0))
        for widget in self._moving():
            widget.show()
        self.count.setText(f"{done} / {total}" if total else str(done))
        self.bar.show_value(min(done, total), total)
        remaining = event.get("remaining")
        known = remaining is not None and remaining == remaining and total
        self.left.setText(
            f"{text.duration(remaining)} left ({text.end_time(remaining)})" if known and remaining else ""
        )

    def show_folder(self, folder: Path) -> None:
        """Show where the data go and how much room there is."""
        existing = folder
        while not existing.exists() and existing != existing.parent:
            existing = existing.parent
        try:
            free = shutil.disk_usage(existing).free
        except OSError:
            self.folder.setText(f"{text.home(folder)} (cannot be reached)")
            return
        self.folder.setText(f"{text.home(folder)} ({text.size(free)} free)")
        self.folder.setForegroundRole(theme.ERROR if free < _LOW else theme.MUTED)
        self.folder.setToolTip(f"Data are kept in {folder}")

    def show_warnings(self, count: int) -> None:
        """Show how many warnings and errors there have been."""
        self.warnings.setText(str(count))
        self.warnings.setIcon(icons.icon("warning" if count else "done"))
        words = "No warnings" if not count else f"{count} warnings and errors: open the log"
        self.warnings.setToolTip(words)
        self.warnings.setAccessibleName(words)

    def changeEvent(self, event: QEvent) -> None:
        """Draw the icons again after a change of theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "warnings"):
            self.show_state(self._icon_name, self.state.text())
            self.show_warnings(int(self.warnings.text() or 0))

    def _moving(self) -> tuple[QWidget, ...]:
        return self.count, self.bar, self.left

    def _label(self, name: str) -> QLabel:
        label = QLabel(self)
        label.setObjectName(name)
        label.setTextFormat(Qt.TextFormat.PlainText)
        return label

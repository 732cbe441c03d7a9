"""A progress bar that is painted with the next frame.

Qt's own paints itself, and with it everything else that waits to be painted, within `setValue`.
"""

from PySide6.QtCore import QSize
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget


class Progress(QWidget):
    """How far something is: `value` of `maximum`; a maximum of 0 says that nobody knows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._value = self._maximum = 0
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def value(self) -> int:
        """Return how far it is."""
        return self._value

    def maximum(self) -> int:
        """Return where it ends."""
        return self._maximum

    def show_value(self, value: int, maximum: int) -> None:
        """Show how far it is."""
        if (value, maximum) != (self._value, self._maximum):
            self._value, self._maximum = value, maximum
            share = f"{100 * value / maximum:.0f} %" if maximum else "not known"
            self.setAccessibleDescription(share)
            self.update()

    def sizeHint(self) -> QSize:
        """Return a size in the measure of the text."""
        metrics = self.fontMetrics()
        return QSize(metrics.averageCharWidth() * 26, int(metrics.height() * 0.75))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw a trough and how far it is filled."""
        painter, palette = QPainter(self), self.palette()
        trough = self.rect().adjusted(0, 0, -1, -1)
        painter.setPen(palette.color(QPalette.ColorRole.Mid))
        painter.setBrush(palette.color(QPalette.ColorRole.Base))
        painter.drawRect(trough)
        if self._maximum:
            trough.setWidth(round(trough.width() * self._value / self._maximum))
            painter.fillRect(trough.adjusted(1, 1, 0, 0), palette.color(QPalette.ColorRole.Highlight))

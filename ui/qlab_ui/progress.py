"""A progress bar that is painted with the next frame.

Qt's own paints itself, and with it everything else that waits to be painted, within `setValue`.
"""

from PySide6.QtCore import QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QStyle, QStyleOptionProgressBar, QWidget


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
        """Draw as the style draws its bars."""
        option = QStyleOptionProgressBar()
        option.initFrom(self)
        option.minimum, option.maximum, option.progress = 0, self._maximum, self._value
        option.textVisible = False
        option.state |= QStyle.StateFlag.State_Horizontal
        self.style().drawControl(QStyle.ControlElement.CE_ProgressBar, option, QPainter(self), self)

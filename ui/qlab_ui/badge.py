"""The SIM badge: says that data are simulated, wherever they are shown."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from qlab_ui import theme


class SimBadge(QWidget):
    """A small amber plate with the word SIM."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sim_badge")
        self.setToolTip("The instruments are simulated: these are not measured data")
        self.setAccessibleName("Simulated data")
        font = self.font()
        font.setBold(True)
        self.setFont(font)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return a size that follows the text."""
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance("SIM") + metrics.averageCharWidth() * 2, metrics.height() + 2)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the plate."""
        look = theme.theme_of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(look.sim))
        radius = self.height() / 4
        painter.drawRoundedRect(QRectF(self.rect()), radius, radius)
        painter.setPen(QColor(look.on_sim))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "SIM")
        painter.end()

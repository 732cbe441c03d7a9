"""A persistent picture of a map: only points that change are coloured, and only pixels that are seen are painted."""

from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from qlab.grid import Points

_SHADES = 256


class Raster(pg.GraphicsObject):  # type: ignore[misc]
    """Values between two levels as colours, in a rectangle; what is not a number is left transparent."""

    def __init__(self, colours: NDArray[np.uint8]) -> None:
        super().__init__()
        blue, green, red = (colours[:, channel].astype(np.uint32) for channel in (2, 1, 0))
        shades = (0xFF000000 | red << 16 | green << 8 | blue).astype(np.uint32)
        self._table: NDArray[np.uint32] = np.append(
            shades, np.uint32(0)
        )  # the last one is for what is no number
        self._rect = QRectF(0, 0, 1, 1)
        self.resize((0, 0))

    def resize(self, shape: tuple[int, int]) -> None:
        """Begin a picture of so many lines and columns."""
        self.prepareGeometryChange()
        self.shape = shape
        self._pixels: NDArray[np.uint32] = np.zeros(shape, dtype=np.uint32)
        height, width = shape
        # The picture looks at the array, which is kept beside it.
        format_ = QImage.Format.Format_ARGB32_Premultiplied
        self._image = QImage(self._pixels.data, width, height, 4 * width, format_) if width else QImage()

    def setRect(self, rect: QRectF) -> None:
        """Say what the picture covers, in the units of the axes."""
        self.prepareGeometryChange()
        self._rect = rect
        self.informViewBoundsChanged()

    def show_points(self, points: Points, values: NDArray[np.float64], levels: tuple[float, float]) -> None:
        """Colour some points anew, which are told as in a flat view; `values` (points,)."""
        low, high = levels
        shade = (values - low) * ((_SHADES - 1) / (high - low))
        np.clip(shade, 0, _SHADES - 1, out=shade)
        shade[~np.isfinite(values)] = _SHADES
        self._pixels.reshape(-1)[points] = self._table[shade.astype(np.uint16)]
        self.update()

    def boundingRect(self) -> QRectF:
        """Return what the picture covers."""
        return QRectF(self._rect)

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Paint the picture; line 0 is where the vertical axis begins."""
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(self._rect, self._image)

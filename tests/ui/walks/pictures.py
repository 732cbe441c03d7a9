"""What a walk leaves: pictures of the window, and where each part of it stands."""

import json
from pathlib import Path

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QDialog, QDockWidget, QMainWindow, QToolBar, QWidget


class Album:
    """Keeps a picture and a plan of each step; a plan gives places in thousandths of the window."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name

    def take(self, window: QMainWindow, step: str, dialog: QDialog | None = None) -> None:
        """Keep what is seen; a dialog that stands beside the window is put over it."""
        picture = window.grab()
        if dialog is not None:
            from PySide6.QtGui import QPainter, QPen

            painter = QPainter(picture)
            at = QPoint((window.width() - dialog.width()) // 2, (window.height() - dialog.height()) // 2)
            over = dialog.grab()
            painter.drawPixmap(at, over)
            painter.setPen(QPen(window.palette().mid().color()))
            painter.drawRect(at.x(), at.y(), dialog.width() - 1, dialog.height() - 1)
            painter.end()
        picture.save(str(self._folder / f"{self._name}-{step}.png"))
        plan = json.dumps(plan_of(window), indent=1)
        (self._folder / f"{self._name}-{step}.json").write_text(plan + "\n", encoding="utf-8")


def plan_of(window: QMainWindow) -> dict[str, list[int]]:
    """Return where bars, panes and the middle stand that are seen: [left, top, width, height] in thousandths."""
    parts: list[QWidget] = [*window.findChildren(QDockWidget), *window.findChildren(QToolBar)]
    parts += [window.menuBar(), window.centralWidget(), window.statusBar()]
    seen = {}
    for part in parts:
        if part.visibleRegion().isEmpty():
            continue
        at, wide, high = part.mapTo(window, QPoint(0, 0)), window.width(), window.height()
        seen[part.objectName() or type(part).__name__] = [
            round(1000 * at.x() / wide), round(1000 * at.y() / high),
            round(1000 * part.width() / wide), round(1000 * part.height() / high),
        ]  # fmt: skip
    return dict(sorted(seen.items()))

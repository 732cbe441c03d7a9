"""A group of rows that folds away under its title."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSizePolicy, QToolButton, QVBoxLayout, QWidget

from qlab_ui.form.row import FieldRow


class Group(QWidget):
    """Rows under a title; the group without a title is always open."""

    def __init__(
        self, title: str, rows: list[FieldRow], *, opened: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.rows = rows
        self._body = QWidget(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self.header = QToolButton(self)
        self.header.setText(title)
        self.header.setObjectName(f"group_{title}")
        self.header.setAutoRaise(True)
        self.header.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.header.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.header.setAccessibleName(title or "Settings")
        self.header.setToolTip("Show or hide these settings")
        self.header.setVisible(bool(title))
        self.header.clicked.connect(lambda: self._open(not self.opened))
        column.addWidget(self.header)
        column.addWidget(self._body)
        inner = QVBoxLayout(self._body)
        inner.setContentsMargins(0, 0, 0, 0)
        for row in rows:
            inner.addWidget(row)
        self._open(opened)

    def reveal(self) -> None:
        """Open the group, so that a row in it can be seen."""
        self._open(True)

    def _open(self, opened: bool) -> None:
        self.opened = opened
        self._body.setVisible(opened)
        self.header.setArrowType(Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow)

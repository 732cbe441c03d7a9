"""Notes, tags and a star on the shown run: kept beside its file, never in it."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QStringListModel, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import (
    QCompleter,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from qlab_ui import icons, theme
from qlab_ui.line import Line
from qlab_ui.work import Note

_SETTLED_MS = 1200


class NoteText(QPlainTextEdit):
    """The text; leaving it keeps it."""

    left = Signal()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Tell that the text has been left."""
        super().focusOutEvent(event)
        self.left.emit()


class NotesPanel(QWidget):
    """A star, tags and a text. What is written is kept when it has settled for a moment, or is left."""

    changed = Signal(object)  # Note

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notes")
        self._note = Note()
        self._starred = False
        self.star = QToolButton(self)
        self.star.setObjectName("star")
        self.star.setAutoRaise(True)
        self.star.setCheckable(True)
        self.star.setAccessibleName("Star")
        self.tags = Line(self)
        self.tags.setObjectName("tags")
        self.tags.setPlaceholderText("Tags, separated by commas")
        self.tags.setAccessibleName("Tags")
        self.tags.setToolTip("Words by which this run is found again: tag:calibration in the list of runs")
        self._known = QStringListModel(self)
        completer = QCompleter(self._known, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.tags.setCompleter(completer)
        self.text = NoteText(self)
        self.text.setObjectName("note_text")
        self.text.setPlaceholderText("Notes on this run")
        self.text.setAccessibleName("Notes")
        self.text.setTabChangesFocus(True)
        self.line = QLabel(self)
        self.line.setTextFormat(Qt.TextFormat.PlainText)
        self.line.setForegroundRole(theme.MUTED)
        self.line.setWordWrap(True)
        unit = self.fontMetrics().averageCharWidth()
        head = QHBoxLayout()
        head.addWidget(self.star)
        head.addWidget(self.tags, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(unit, unit, unit, unit)
        column.addLayout(head)
        column.addWidget(self.text, 1)
        column.addWidget(self.line)
        self._settle = QTimer(self, singleShot=True, interval=_SETTLED_MS)
        self._settle.timeout.connect(self.keep)
        self.star.toggled.connect(lambda _on: self._edited(now=True))
        self.tags.textEdited.connect(lambda _text: self._edited())
        self.tags.editingFinished.connect(self.keep)
        self.text.textChanged.connect(self._edited)
        self.text.left.connect(self.keep)
        self.show_note(None)

    def show_note(self, note: Note | None, line: str = "") -> None:
        """Show what is written about a run; None where no run is shown."""
        self._settle.stop()
        self._note = note or Note()
        for widget in (self.star, self.tags, self.text):
            widget.setEnabled(note is not None)
            widget.blockSignals(True)
        self.star.setChecked(self._note.star)
        if self.tags.text() != ", ".join(self._note.tags):
            self.tags.setText(", ".join(self._note.tags))
        if self.text.toPlainText() != self._note.text:
            self.text.setPlainText(self._note.text)
        for widget in (self.star, self.tags, self.text):
            widget.blockSignals(False)
        self.line.setText(line or ("" if note is not None else "No run is shown."))
        self._draw_star()

    def offer_tags(self, tags: Sequence[str]) -> None:
        """Complete what is typed to tags that are in use."""
        self._known.setStringList(sorted(tags))

    def note(self) -> Note:
        """Return what stands in the pane."""
        words = dict.fromkeys(word.strip() for word in self.tags.text().split(","))
        tags = tuple(word for word in words if word)
        return Note(self.text.toPlainText(), tags, self.star.isChecked())

    def keep(self) -> None:
        """Keep what was changed, if anything was."""
        self._settle.stop()
        note = self.note()
        if note != self._note and self.text.isEnabled():
            self._note = note
            self.changed.emit(note)

    def changeEvent(self, event: QEvent) -> None:
        """Draw the star again after a change of theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "star"):
            self._draw_star()

    def _edited(self, *, now: bool = False) -> None:
        self._draw_star()
        self.line.setText("")
        if now:
            self.keep()
        else:
            self._settle.start()

    def _draw_star(self) -> None:
        on = self.star.isChecked()
        self.star.setIcon(icons.icon("star" if on else "unstar"))
        self.star.setToolTip("Take the star off" if on else "Put a star on this run")

"""The line in which runs are searched: it completes fields, tags and names, and says what is wrong with a query."""

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCompleter, QLabel, QListView, QVBoxLayout, QWidget

from qlab_ui import theme
from qlab_ui.library import SearchWords
from qlab_ui.line import Line

_STATES = ("finished", "stopped", "failed", "interrupted", "running")
_DATES = ("today", "yesterday", "this-week", "last-week", "this-month", "last-7-days")
_HELP = (
    "Words begin a word of what is known of a run. Also:\n"
    "tag:nv   experiment:ramsey   state:finished   date:this-week   is:star\n"
    "sample:A3   operator:Bo   title:…   -tag:test leaves out\n"
    "t2>2us   shots=1000   B=1mT..3mT   for parameters, figures and fitted values"
)


def offers(words: SearchWords) -> list[str]:
    """Return what one word of a query can be completed to."""
    made = [f"{name}:" for name in words.fields]
    made += [f"tag:{tag}" for tag in words.tags]
    made += [f"experiment:{name}" for name in words.experiments]
    made += [f"state:{state}" for state in _STATES] + [f"date:{day}" for day in _DATES]
    made += ["is:star", "is:simulated"]
    return list(dict.fromkeys(made)) + [f"{name}>" for name in words.numbers]


class _Line(Line):
    """A line whose completer works on the word before the cursor, not on all of the text."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.list = QStringListModel(self)
        self.completion = QCompleter(self.list, self)
        self.completion.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.completion.setWidget(self)
        self.popup = QListView()
        self.completion.setPopup(self.popup)
        self.completion.activated.connect(self._take)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Offer completions while a word is typed; Return, Tab and Escape are the list's while it is open."""
        popup = self.popup
        if popup.isVisible() and event.key() in {
            Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab, Qt.Key.Key_Escape,
        }:  # fmt: skip
            if event.key() == Qt.Key.Key_Tab and not popup.currentIndex().isValid():
                popup.setCurrentIndex(self.completion.completionModel().index(0, 0))
            event.ignore()
            return
        super().keyPressEvent(event)
        if event.text():
            self._offer()

    def word(self) -> str:
        """Return the word before the cursor, without the minus that leaves out."""
        return self.text()[: self.cursorPosition()].rsplit(" ", 1)[-1].removeprefix("-")

    def _offer(self) -> None:
        word = self.word()
        self.completion.setCompletionPrefix(word)
        model = self.completion.completionModel()
        same = model.rowCount() == 1 and str(model.index(0, 0).data()) == word
        if not word or not model.rowCount() or same:
            self.popup.hide()
            return
        popup = self.popup
        rect = self.cursorRect()
        rect.setWidth(popup.sizeHintForColumn(0) + 4 * self.fontMetrics().averageCharWidth())
        self.completion.complete(rect)

    def _take(self, chosen: str) -> None:
        cursor, word = self.cursorPosition(), self.word()
        before, after = self.text()[: cursor - len(word)], self.text()[cursor:]
        end = "" if chosen.endswith((":", ">")) else " "
        self.setText(f"{before}{chosen}{end}{after.lstrip() if end else after}")
        self.setCursorPosition(len(before) + len(chosen) + len(end))


class Search(QWidget):
    """The line and, below it, what is wrong with the query."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line = _Line(self)
        self.line.setObjectName("run_search")
        self.line.setPlaceholderText("Find runs: words, or tag:nv, date:this-week, t2>2us")
        self.line.setAccessibleName("Find runs")
        self.line.setToolTip(_HELP)
        self.line.setClearButtonEnabled(True)
        self.problem = QLabel(self)
        self.problem.setObjectName("search_problem")
        self.problem.setForegroundRole(theme.ERROR)
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.problem.setWordWrap(True)
        self.problem.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(self.fontMetrics().height() // 6)
        column.addWidget(self.line)
        column.addWidget(self.problem)
        self.line.textChanged.connect(lambda _text: self.changed.emit())

    def show_words(self, words: SearchWords) -> None:
        """Complete with what there is in the folder."""
        self.line.list.setStringList(offers(words))

    def show_problem(self, problem: str) -> None:
        """Say what is wrong with the query; nothing takes the line away."""
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))

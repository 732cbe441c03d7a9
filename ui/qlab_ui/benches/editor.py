"""The dialog of a bench: its instruments to the left, the chosen one to the right, saved as a TOML file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSplitter,
    QTabWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from qlab.errors import QlabError
from qlab_ui import benchwork, icons, theme
from qlab_ui.benches.calibrations import Calibrations
from qlab_ui.benches.chooser import driver_menu
from qlab_ui.benches.detail import Detail
from qlab_ui.benches.draft import Draft
from qlab_ui.roomy import make_roomy
from qlab_ui.worker import ProcessWorker, Worker

_POLL_MS = 50


class BenchEditor(QDialog):
    """Edits one bench; drivers run in a process of the dialog's own, which ends with it."""

    def __init__(
        self,
        parent: QWidget,
        bench: str,
        folder: Path,
        use: Callable[[str], object],
        worker: Worker | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("bench_editor")
        self.setWindowTitle("Bench")
        self.draft, self._folder, self._use = Draft(), folder, use
        self._bench = bench
        self._worker: Worker = worker or ProcessWorker()
        self._cards: dict[str, Any] = {}
        self._roles: list[str] = []
        self._presets: dict[str, str] = {}
        self._answers: dict[str, Any] = {}
        self.title, self.file = QLineEdit(self), QLineEdit(self)
        self.world = QComboBox(self)
        self.tree = QTreeWidget(self)
        self.add_button, self.remove_button = QPushButton("Add…", self), QPushButton("Remove", self)
        self.test_button = QPushButton("Test all", self)
        self.detail = Detail(self)
        self.calibrations = Calibrations(self)
        self.tabs = QTabWidget(self)
        self.message = QLabel("Looking for drivers…", self)
        self.save_button, self.use_button = QPushButton("Save", self), QPushButton("Save and use", self)
        self.close_button = QPushButton("Close", self)
        self._lay_out()
        self._connect()
        self._timer = QTimer(self, interval=_POLL_MS)
        self._timer.timeout.connect(self._worker.poll)
        self._timer.start()
        self._worker.ask(self._looked, self._failed, benchwork.look_around)
        self._worker.ask(self._opened, self._failed, benchwork.read, bench)
        self.detail.setEnabled(False)

    def done(self, result: int) -> None:
        """End the process with the dialog."""
        self._timer.stop()
        self._worker.close()
        super().done(result)

    def chosen(self) -> str:
        """Return the name of the instrument that is shown."""
        item = self.tree.currentItem()
        return str(item.data(0, Qt.ItemDataRole.UserRole)) if item is not None else ""

    def add(self, driver: str) -> None:
        """Add an instrument and show it."""
        name = self.draft.add(driver)
        self._list(name)
        self.detail.name.setFocus()
        self.detail.name.selectAll()

    def test(self, names: list[str]) -> None:
        """Ask instruments who they are, one after the other."""
        for name in names:
            self._say("Asking…")
            self._worker.ask(self._answered, self._failed, benchwork.try_out, self.draft.data, name)

    def save(self, *, use: bool) -> None:
        """Write the bench file; what it refuses is said, and nothing is written."""
        name = self.file.text().strip().removesuffix(".toml")
        if not name or "/" in name or "\\" in name:
            self._say("Give the file a name, such as nv-setup-2.", bad=True)
            self.file.setFocus()
            return
        self.draft.data["title"] = self.title.text().strip() or name
        path = str(self._folder / f"{name}.toml")

        def written(path: str) -> None:
            self._say(f"Saved {path}")
            if use:
                self._use(path)
                self.accept()

        self._worker.ask(written, self._failed, benchwork.write, path, self.draft.data)

    def _looked(self, found: tuple[list[Any], list[str], list[str], dict[str, str]]) -> None:
        cards, self._roles, worlds, self._presets = found
        self._cards = {card.name: card for card in cards}
        self.world.addItem("None: every instrument is real", "")
        for world in worlds:
            self.world.addItem(f"Simulated: {world}", world)
        broken = sum(bool(card.problem) for card in cards)
        more = f", {broken} of them broken" if broken else ""
        self._say(f"{len(cards)} drivers installed{more}.")

    def _opened(self, data: dict[str, Any]) -> None:
        self.draft = Draft(data)
        preset = not self._bench.endswith(".toml")
        title = str(data.get("title", ""))
        self.title.setText(f"{title}, my own" if preset else title)
        self.file.setText(f"my-{self._bench}" if preset else Path(self._bench).stem)
        kind = (data.get("world") or {}).get("kind", "")
        self.world.setCurrentIndex(max(self.world.findData(kind), 0))
        self.detail.setEnabled(True)
        self._list()
        self._show_calibrations()

    def _list(self, chosen: str = "") -> None:
        chosen = chosen or self.chosen()
        self.tree.clear()
        for name, item in self.draft.instruments.items():
            driver = str(item.get("driver", ""))
            held = [role for role, holder in self.draft.roles.items() if holder == name]
            line = QTreeWidgetItem([name, driver, ", ".join(held)])
            line.setData(0, Qt.ItemDataRole.UserRole, name)
            answer = self._answers.get(name)
            card = self._cards.get(driver.partition(":")[0])
            bad = card is None or card.problem
            sign = "warning" if bad else "wait" if answer is None else "done" if answer.good else "error"
            line.setIcon(0, icons.icon(sign))
            line.setToolTip(0, answer.words if answer is not None else "Not tested")
            self.tree.addTopLevelItem(line)
            if name == chosen:
                self.tree.setCurrentItem(line)
        if self.tree.currentItem() is None and (first := self.tree.topLevelItem(0)) is not None:
            self.tree.setCurrentItem(first)
        self._show()

    def _show(self) -> None:
        name = self.chosen()
        self.detail.setVisible(bool(name))
        self.remove_button.setEnabled(bool(name))
        if name not in self.draft.instruments:
            return
        item = self.draft.instruments[name]
        card = self._cards.get(str(item.get("driver", "")).partition(":")[0])
        answer = self._answers.get(name)
        # What other people's drivers offer is known once one was asked.
        knobs = (card.knobs if card is not None else ()) or (answer.knobs if answer is not None else ())
        self.detail.show_item(name, item, card, knobs, self._roles, self.draft.roles)
        if answer is not None:
            self.detail.show_answer(
                f"{answer.words} {answer.hint}".strip(), good=answer.good, roles=answer.roles
            )

    def _answered(self, answer: Any) -> None:
        self._answers[answer.name] = answer
        good = sum(one.good for one in self._answers.values())
        self._say(f"{good} of {len(self._answers)} tested answer as they should.")
        self._list()

    def _offer_drivers(self) -> None:
        menu = driver_menu(self, self._cards, self.add)
        menu.popup(self.add_button.mapToGlobal(QPoint(0, self.add_button.height())))

    def _remove(self) -> None:
        self.draft.remove(self.chosen())
        self._answers.pop(self.chosen(), None)
        self._list()

    def _renamed(self, new: str) -> None:
        old = self.chosen()
        if not old or new == old:
            return
        if not self.draft.rename(old, new):
            self._say(
                f"{new or 'Nothing'} is no name for it: letters, digits and _, and no other's name.", bad=True
            )
            self.detail.name.setText(old)
            return
        if old in self._answers:
            self._answers[new] = self._answers.pop(old)
        self._list(new)

    def _show_calibrations(self) -> None:
        about: list[str] = []
        for name, item in self.draft.instruments.items():
            card = self._cards.get(str(item.get("driver", "")).partition(":")[0])
            answer = self._answers.get(name)
            knobs = (answer.knobs if answer is not None else ()) or (card.knobs if card is not None else ())
            about += [name, *(f"{name}.{knob.name}" for knob in knobs)]
        self.calibrations.show_items(self.draft.calibrations, about)

    def _role(self, role: str, on: bool) -> None:
        self.draft.give_role(role, self.chosen(), on=on)
        for place in range(self.tree.topLevelItemCount()):
            line = self.tree.topLevelItem(place)
            if line is not None:
                name = line.data(0, Qt.ItemDataRole.UserRole)
                line.setText(2, ", ".join(r for r, holder in self.draft.roles.items() if holder == name))

    def _put(self, part: str, key: str, value: Any) -> None:
        if (name := self.chosen()) in self.draft.instruments:
            self.draft.put(name, part, key, value)

    def _find(self) -> None:
        self._say("Asking at every address that this computer knows…")
        self._worker.ask(self.detail.show_addresses, self._failed, benchwork.addresses)

    def _failed(self, error: QlabError) -> None:
        self._say(f"{error.message} {error.hint}".strip(), bad=True)

    def _say(self, words: str, *, bad: bool = False) -> None:
        self.message.setText(words)
        self.message.setForegroundRole(theme.ERROR if bad else theme.MUTED)

    def _connect(self) -> None:
        self.tree.currentItemChanged.connect(lambda *_: self._show())
        self.add_button.clicked.connect(self._offer_drivers)
        self.remove_button.clicked.connect(self._remove)
        self.test_button.clicked.connect(lambda: self.test(list(self.draft.instruments)))
        self.world.activated.connect(lambda _index: self.draft.set_world(str(self.world.currentData() or "")))
        self.tabs.currentChanged.connect(lambda _index: self._show_calibrations())
        self.calibrations.told.connect(lambda words, bad: self._say(words, bad=bad))
        detail = self.detail
        detail.renamed.connect(self._renamed)
        detail.optionChanged.connect(lambda key, value: self._put("options", key, value))
        detail.limitChanged.connect(lambda key, value: self._put("limits", key, value))
        detail.safeChanged.connect(lambda key, value: self._put("safe", key, value))
        detail.roleChanged.connect(self._role)
        detail.testWanted.connect(lambda: self.test([self.chosen()]))
        detail.findWanted.connect(self._find)
        self.save_button.clicked.connect(lambda: self.save(use=False))
        self.use_button.clicked.connect(lambda: self.save(use=True))
        self.close_button.clicked.connect(self.reject)

    def _lay_out(self) -> None:
        metrics = self.fontMetrics()
        for widget, name in ((self.title, "Title of the bench"), (self.file, "File"), (self.world, "World")):
            widget.setAccessibleName(name)
        self.title.setToolTip("What the bench is called in the window")
        self.world.setToolTip(
            "What simulated instruments share: real and simulated ones may stand on one bench"
        )
        self.file.setToolTip(f"Saved as NAME.toml in {self._folder}")
        self.tree.setAccessibleName("Instruments")
        self.tree.setHeaderLabels(["Instrument", "Driver", "Roles"])
        self.tree.setRootIsDecorated(False)
        make_roomy(self.tree)
        for place, width in enumerate((18, 22, 16)):
            self.tree.setColumnWidth(place, metrics.averageCharWidth() * width)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setWordWrap(True)
        self.message.setForegroundRole(theme.MUTED)
        head = QHBoxLayout()
        for words, widget in (("Title", self.title), ("File", self.file), ("World", self.world)):
            label = QLabel(words, self)
            label.setBuddy(widget)
            head.addWidget(label)
            head.addWidget(widget, 1)
            head.addSpacing(metrics.averageCharWidth())
        left = QWidget(self)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.tree, 1)
        under = QHBoxLayout()
        for button in (self.add_button, self.remove_button, self.test_button):
            button.setAutoDefault(False)
            under.addWidget(button)
        under.addStretch(1)
        column.addLayout(under)
        area = QScrollArea(self)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setWidget(self.detail)
        halves = QSplitter(self)
        halves.addWidget(left)
        halves.addWidget(area)
        halves.setSizes([metrics.averageCharWidth() * 58, metrics.averageCharWidth() * 78])
        foot = QHBoxLayout()
        foot.addWidget(self.message, 1)
        for button in (self.save_button, self.use_button, self.close_button):
            button.setAutoDefault(False)
            foot.addWidget(button)
        self.detail.test.setAutoDefault(False)
        self.detail.find_button.setAutoDefault(False)
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(halves, "Instruments")
        self.tabs.addTab(self.calibrations, "Calibrations")
        outer = QVBoxLayout(self)
        outer.addLayout(head)
        outer.addWidget(self.tabs, 1)
        outer.addLayout(foot)
        self.resize(metrics.averageCharWidth() * 142, metrics.height() * 40)

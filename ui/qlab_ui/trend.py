"""The tab of a parameter plot: two choosers, and the numbers of the chosen runs between them."""

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtWidgets import QComboBox, QLabel

from qlab_ui import text
from qlab_ui.derived import DerivedPage
from qlab_ui.library import Quantities, Quantity, column
from qlab_ui.plots.data import Label, plain_unit
from qlab_ui.plots.trend import Points, TrendView, vary

_GROUPS = {"fit": "Fitted", "figure": "Figures", "parameter": "Set", "knob": "Knobs", "time": "Time"}
_LEFT = ("T2*", "T2", "T1", "frequency")  # what is asked for most, where a fit has it


class TrendPage(DerivedPage):
    """Many runs as points: any number of theirs over any other that varies among them."""

    def __init__(self, runs: Sequence[Quantities], opened: Callable[[Quantities], object]) -> None:
        self.runs = [run for run in runs if run.values]
        left_out = len(runs) - len(self.runs)
        about = f"{len(self.runs)} runs" + (f", {left_out} cannot be read" if left_out else "")
        view = TrendView()
        super().__init__("Parameter plot", about, view, simulated=any(r.simulated for r in self.runs),
                         stem="parameter-plot")  # fmt: skip
        self.trend = view
        self.up, self.across = QComboBox(self), QComboBox(self)
        for box, words, name in (
            (self.up, "Plot", "What is plotted"),
            (self.across, "against", "Against what"),
        ):
            box.setAccessibleName(name)
            box.setToolTip(f"{name}: a fitted value, a figure of merit, a parameter, a knob or the time")
            # A long name must not push the panes beside the plot together.
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(8)
            label = QLabel(words, self)
            label.setBuddy(box)
            self.head.insertWidget(self.head.count() - 1, label)
            self.head.insertWidget(self.head.count() - 1, box, 2)
        self._offer()
        for box in (self.up, self.across):
            box.currentIndexChanged.connect(lambda _index: self.draw())
        view.opened.connect(lambda place: opened(self.runs[place]))
        view.mark_as(f"{len(self.runs)} runs", simulated=any(r.simulated for r in self.runs))
        self.draw()

    def draw(self) -> None:
        """Draw what is chosen."""
        up, across = str(self.up.currentData() or ""), str(self.across.currentData() or "")
        if not up or not across:
            return
        y, y_error = column(self.runs, up)
        x, x_error = column(self.runs, across)
        if across == "time:started":
            x = x - np.nanmin(x) if np.isfinite(x).any() else x
        names = tuple(f"{run.title} {text.short_id(run.run)}" for run in self.runs)
        self.trend.show_points(Points(x, x_error, y, y_error, names, self._label(across), self._label(up)))
        self.stem = f"{self._label(up).name} over {self._label(across).name}".replace("/", "-")

    def _offer(self) -> None:
        known: dict[str, Quantity] = {}
        for run in self.runs:
            known |= run.values
        order = list(_GROUPS)
        names = sorted(known, key=lambda name: (order.index(known[name].group), known[name].label.lower()))
        changing = [name for name in names if vary(column(self.runs, name)[0].tolist())]
        for box, offered in ((self.up, names), (self.across, changing or names)):
            for name in offered:
                quantity = known[name]
                box.addItem(f"{_GROUPS[quantity.group]}: {quantity.label}", name)
        self.up.setCurrentIndex(max(self.up.findData(_first(names, changing)), 0))
        wanted = [name for name in changing if known[name].group == "parameter"] or ["time:started"]
        self.across.setCurrentIndex(max(self.across.findData(wanted[0]), 0))

    def _label(self, name: str) -> Label:
        quantity = next((run.values[name] for run in self.runs if name in run.values), None)
        if name == "time:started":
            return Label("time since the first run", "s")
        return Label(quantity.label, plain_unit(quantity.unit)) if quantity is not None else Label(name)


def _first(names: Sequence[str], changing: Sequence[str]) -> str:
    for wanted in _LEFT:
        if f"fit:{wanted}" in names:
            return f"fit:{wanted}"
    return next(
        (n for n in (*changing, *names) if n.startswith(("fit:", "figure:"))), names[0] if names else ""
    )

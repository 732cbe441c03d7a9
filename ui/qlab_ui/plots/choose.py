"""Which view fits a run: each says how well, the best is taken. A new view is one line in `VIEWS`."""

from collections.abc import Callable
from dataclasses import dataclass

from qlab.record import Record
from qlab_ui.plots.curve import CurveView
from qlab_ui.plots.map import MapView
from qlab_ui.plots.slices import SliceView
from qlab_ui.plots.trace import TraceView, long_record
from qlab_ui.plots.view import View


@dataclass(frozen=True)
class Choice:
    """A view and how well it fits a record, 0 (not at all) to 1."""

    name: str
    score: Callable[[Record], float]
    make: Callable[[], View]


VIEWS = (
    Choice("curve", lambda record: 0.9 if len(record.axes) < 2 else 0.1, CurveView),
    Choice("trace", lambda record: 0.95 if long_record(record) else 0.0, TraceView),
    Choice("slices", lambda record: 0.95 if len(record.axes) > 2 and record.signals else 0.0, SliceView),
    Choice("map", lambda record: 0.9 if len(record.axes) == 2 and record.signals else 0.0, MapView),
)


def view_for(record: Record, spare: CurveView | None = None) -> View:
    """Return the view that fits the run best: the spare one where it is of that kind, else a new one."""
    best = max(VIEWS, key=lambda choice: choice.score(record))
    return spare if spare is not None and best.make is CurveView else best.make()

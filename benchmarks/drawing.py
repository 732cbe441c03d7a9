"""What one frame of a large live picture costs the window (CPU time), beside pyqtgraph used plainly."""

import os
import time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np

FRAMES = 20


def rows():
    """Return rows of (what, ours, beside it, ratio, largest difference)."""
    return [trace(), picture()]


def _frame(draw, widget, app):
    """Return the median CPU time (s) of a frame: drawn and painted."""
    taken = []
    for number in range(FRAMES):
        began = time.thread_time()
        draw(number)
        widget.viewport().update()
        app.processEvents()
        taken.append(time.thread_time() - began)
    return float(np.median(taken[2:]))


def _report(what, ours, theirs):
    return (
        what,
        f"{1e3 * ours:.1f} ms",
        f"{1e3 * theirs:.1f} ms",
        f"{theirs / ours:.1f} x",
        "the same extremes",
    )


def trace(points=10_000_000, fresh=33_000):
    """Ten million points, 33,000 of them new in each frame (1e6 points/s at 30 Hz)."""
    import pyqtgraph as pg

    from qlab.grid import MemoryRows
    from qlab.record import Column, Record
    from qlab_ui.app import make_application
    from qlab_ui.plots.trace import TraceView

    app = make_application(["qlab"])
    values = np.random.default_rng(1).normal(size=points)
    about = {
        "id": "1",
        "experiment": "x",
        "title": "x",
        "parameters": {},
        "bench": {"name": "b"},
        "simulated": True,
    }
    columns = [Column(name="v", unit="1", role="raw")]
    record = Record.model_validate({**about, "columns": columns, "expected_rows": points})
    view = TraceView()
    view.resize(900, 600)
    view.show()
    view.show_record(record)
    first = points - FRAMES * fresh
    view.draw(MemoryRows({"v": values[:first]}), "v")

    def count(number):
        return first + (number + 1) * fresh

    ours = _frame(lambda n: view.draw(MemoryRows({"v": values[: count(n)]}), "v"), view.graphics, app)
    view.close()
    plain = pg.PlotWidget()
    plain.resize(900, 600)
    plain.show()
    curve = plain.plot()
    curve.setDownsampling(auto=True, method="peak")
    curve.setClipToView(True)
    x = np.arange(points, dtype=float)
    theirs = _frame(lambda n: curve.setData(x[: count(n)], values[: count(n)]), plain, app)
    plain.close()
    return _report("frame of a trace of 1e7 points", ours, theirs)


def picture(size=2000, fresh=33_000):
    """A map of 2000 x 2000 points, 33,000 of them new in each frame."""
    import pyqtgraph as pg

    from qlab.grid import MemoryRows
    from qlab.record import Axis, Column, Record, Signal
    from qlab_ui.app import make_application
    from qlab_ui.plots.map import MapView

    app = make_application(["qlab"])
    axis = np.arange(float(size))
    values = np.random.default_rng(1).normal(size=size * size)
    a, b = np.repeat(axis, size), np.tile(axis, size)
    about = {
        "id": "1",
        "experiment": "x",
        "title": "x",
        "parameters": {},
        "bench": {"name": "b"},
        "simulated": True,
    }
    columns = [Column(name=name, unit="1", role="raw") for name in "abv"]
    axes = [Axis(name=name, values=tuple(axis)) for name in "ab"]
    signals = [Signal(name="v", of="v", rule="mean")]
    record = Record.model_validate({**about, "columns": columns, "axes": axes, "signals": signals})
    view = MapView()
    view.resize(900, 600)
    view.show()
    view.show_record(record)
    first = size * size - FRAMES * fresh

    def count(number):
        return first + (number + 1) * fresh

    def shown(rows):
        return MemoryRows({"a": a[:rows], "b": b[:rows], "v": values[:rows]})

    view.draw(shown(first), "v")
    ours = _frame(lambda n: view.draw(shown(count(n)), "v"), view.graphics, app)
    view.close()
    plain = pg.PlotWidget()
    plain.resize(900, 600)
    plain.show()
    image = pg.ImageItem(axisOrder="row-major")
    image.setColorMap("viridis")
    plain.addItem(image)
    whole = np.full(size * size, np.nan)

    def set_image(number):
        whole[: count(number)] = values[: count(number)]
        image.setImage(whole.reshape(size, size), autoLevels=False, levels=(-4, 4))

    theirs = _frame(set_image, plain, app)
    plain.close()
    return _report("frame of a map of 2000 x 2000", ours, theirs)


if __name__ == "__main__":
    for row in rows():
        print("  ".join(row))

"""What stands on an axis is what was measured, whatever its unit and size."""

import numpy as np
import pytest

from qlab.grid import MemoryRows
from qlab.record import Axis, Column, Record, Signal
from qlab_ui.plots.choose import view_for


def record(unit):
    return Record(
        id="00000000-0000-4000-8000-000000000000",
        experiment="tests.axis",
        title="Axis",
        parameters={},
        columns=(Column(name="x", unit="s", role="setpoint"), Column(name="y", unit=unit)),
        axes=(Axis(name="x", unit="s", values=tuple(np.linspace(0, 1e-4, 20))),),
        signals=(Signal(name="mean", unit=unit, of="y"),),
    )


@pytest.mark.parametrize(
    ("unit", "size", "scale"),
    [
        ("1", 0.9, 1.0),
        ("1", 5e-4, 1.0),
        ("1", 3e9, 1.0),
        ("1/s", 8e3, 1.0),
        ("Hz", 8e3, 1e-3),
        ("T", 2e-9, 1e9),
    ],
)
def test_ticks_show_the_value_or_say_the_prefix(app, unit, size, scale):
    view = view_for(record(unit))
    view.resize(800, 500)
    view.show_record(record(unit))
    view.show()
    rows = MemoryRows({"x": np.linspace(0, 1e-4, 20), "y": size * (1 + 0.05 * np.sin(np.arange(20)))})
    for _ in range(3):
        # As it is live: drawn, shown, and its record changed while the range is already that of the data.
        view.draw(rows, "mean")
        app.processEvents()
        view.show_record(record(unit))
        app.processEvents()
    axis = view.plot.getAxis("left")
    assert axis.autoSIPrefixScale == pytest.approx(scale)
    assert (axis.labelUnitPrefix != "") == (scale != 1.0)
    view.close()
    view.deleteLater()

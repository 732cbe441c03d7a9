"""Values of fit parameters as people type them: `T2_star=2us`."""

from collections.abc import Mapping, Sequence

from qlab.errors import UsageError
from qlab.fits.model import FitModel
from qlab.fits.report import unit_of
from qlab.grid import Grid
from qlab.units import parse_quantity


def assignments(given: Sequence[str]) -> dict[str, str]:
    """Return NAME -> text of "NAME=VALUE"; UsageError where one is not written so."""
    found: dict[str, str] = {}
    for item in given:
        name, equals, text = item.partition("=")
        if not (name.strip() and equals and text.strip()):
            raise UsageError(f"Cannot read {item!r}.", "Write NAME=VALUE, as in T2_star=2us or exponent=1.")
        found[name.strip()] = text
    return found


def typed_values(model: FitModel, typed: Mapping[str, str], grid: Grid) -> dict[str, float]:
    """Return the values in SI units by the model's own names, which may be typed in small letters.

    A bare number is in SI units. Raises UsageError for a name that the model does not have and for a wrong unit.
    """
    units = (grid.axes[0][0].unit if grid.axes else "1", grid.signal.unit)
    found: dict[str, float] = {}
    for name, text in typed.items():
        alike = [v for v in model.parameters if v.name.lower() == name.lower()]
        chosen = next((v for v in alike if v.name == name), alike[0] if len(alike) == 1 else None)
        if chosen is None:
            known = ", ".join(v.name for v in model.parameters)
            raise UsageError(f"The model {model.name} has no parameter {name!r}.", f"There are: {known}.")
        found[chosen.name] = parse_quantity(text, unit_of(chosen.unit, units))
    return found

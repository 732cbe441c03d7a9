"""Any QCoDeS driver: `driver = "qcodes:rohde_schwarz.RohdeSchwarzSGS100A"` in a bench file."""

import math
from collections.abc import Iterator
from typing import Any, Unpack

from qlab_instruments.foreign.found import Found, of_values, unit_of
from qlab_instruments.foreign.instrument import (
    ForeignInstrument,
    Options,
    built,
    class_at,
    fresh_name,
    quietly,
    reach,
    remembered,
)

_SKIP = {"IDN", "timeout"}


class QCoDeSInstrument(ForeignInstrument):
    """A QCoDeS driver behind our knobs."""

    library = "qcodes"

    def _let_go(self, driver: Any) -> None:
        """Close it, so that its name is free again."""
        driver.close()

    def _who(self, driver: Any) -> dict[str, str]:
        """Ask for the identity."""
        return {k: str(v) for k, v in driver.get_idn().items() if v}

    def _get(self, driver: Any, path: str) -> Any:
        """Get a parameter."""
        return reach(driver, path).get()

    def _put(self, driver: Any, path: str, value: Any) -> None:
        """Set a parameter."""
        reach(driver, path).set(value)


def QCoDeS(target: str, address: str = "", **options: Unpack[Options]) -> ForeignInstrument:
    """Take any QCoDeS driver: `target` is its path, such as rohde_schwarz.RohdeSchwarzSGS100A.

    What is not ours goes to the driver (`pyvisa_sim_file`, ...).
    """
    passed = {k: v for k, v in options.items() if k not in Options.__annotations__}
    if address:
        passed["address"] = address

    def make(name: str) -> Any:
        return class_at(target, "qcodes.instrument_drivers", "qcodes")(name, **passed)

    def learn() -> list[Found]:
        def look() -> list[Found]:
            driver = make(fresh_name("look"))
            try:
                return list(parameters(driver))
            finally:
                driver.close()

        class_at(target, "qcodes.instrument_drivers", "qcodes")
        found: list[Found] = quietly(look)
        return found

    shown = {"address": address, **options}
    return built(QCoDeSInstrument, target, make, lambda: remembered("qcodes", target, passed, learn), shown)


def parameters(driver: Any, before: str = "") -> Iterator[Found]:
    """Yield the quantities of a driver and of its channels that are numbers, switches or choices."""
    for name, parameter in driver.parameters.items():
        if name not in _SKIP and (found := _found(f"{before}{name}", parameter)) is not None:
            yield found
    for name, module in driver.instrument_modules.items():
        if hasattr(module, "parameters"):
            yield from parameters(module, f"{before}{name}.")


def _found(path: str, parameter: Any) -> Found | None:
    readable, settable = bool(parameter.gettable), bool(parameter.settable)
    if not (readable or settable):
        return None
    step = getattr(parameter, "step", None)
    more: dict[str, Any] = {
        "readable": readable,
        "settable": settable,
        "doc": " ".join(str(getattr(parameter, "label", "") or "").split()),
    }
    mapping = getattr(parameter, "val_mapping", None)
    if mapping:
        return of_values(path, list(mapping), **more)
    more["unit"] = unit_of(str(getattr(parameter, "unit", "") or ""))
    if step:
        more["ramp"] = (float(step), float(parameter.inter_delay or 0.0))
    return _validated(path, getattr(parameter, "vals", None), more)


def _validated(path: str, validator: Any, more: dict[str, Any]) -> Found | None:
    kind = type(validator).__name__
    if kind in {"Numbers", "Ints", "PermissiveInts", "Multiples", "PermissiveMultiples"}:
        low, high = (
            float(getattr(validator, f"_{end}_value", s * math.inf)) for end, s in (("min", -1), ("max", 1))
        )
        return Found(path, low=low, high=high, **more)
    if kind == "Bool":
        return Found(path, "switch", raws=(False, True), **more)
    if kind == "Enum":
        more.pop("ramp", None)
        unit = more.pop("unit", "1")
        found = of_values(path, sorted(validator._values, key=str), **more)  # noqa: SLF001 - no public way
        return found if found is None or found.kind != "number" else Found(**{**vars(found), "unit": unit})
    if kind == "MultiType":
        parts = [_validated(path, part, more) for part in getattr(validator, "_validators", ())]
        return next((part for part in parts if part is not None), None)
    if kind in {"NoneType", "Anything"}:
        return Found(path, **more)
    return None

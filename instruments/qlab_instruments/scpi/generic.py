"""Any SCPI instrument, its knobs written in the bench file."""

from collections.abc import Mapping
from typing import Any

from qlab.errors import UsageError
from qlab.instrument import Knob, Quantity, Switch
from qlab.units import parse_quantity
from qlab_instruments.scpi.visa import VisaInstrument

_KEYS = {"unit", "get", "set", "limits", "safe", "ramp", "rate", "tolerance", "choices", "doc"}


def GenericSCPI(address: str, knobs: Mapping[str, Mapping[str, Any]], **options: Any) -> VisaInstrument:
    """Return an instrument with the knobs of a bench file.

    ```toml
    [instruments.synth]
    driver = "scpi.generic"
    [instruments.synth.options]
    address = "TCPIP::192.0.2.7::INSTR"
    [instruments.synth.options.knobs]
    frequency = {unit = "Hz", get = "FREQ?", set = "FREQ {:.9g}", limits = ["9 kHz", "6 GHz"]}
    on = {get = "OUTP?", set = "OUTP {:d}", kind = "switch", safe = false}
    ```
    """
    members: dict[str, Any] = {name: _knob(name, text) for name, text in knobs.items()}
    made = type(
        "GenericSCPI", (VisaInstrument,), {**members, "__doc__": "A SCPI instrument from a bench file."}
    )
    instrument: VisaInstrument = made(address, **options)
    return instrument


def _knob(name: str, text: Mapping[str, Any]) -> Quantity[Any]:
    given = dict(text)
    kind = given.pop("kind", "number")
    unknown = set(given) - _KEYS
    if unknown or kind not in {"number", "switch"} or not (given.get("get") or given.get("set")):
        raise UsageError(
            f"The knob {name!r} is not written right{': ' + ', '.join(sorted(unknown)) if unknown else ''}.",
            f"Give get or set, and any of {', '.join(sorted(_KEYS))}; kind is number or switch.",
        )
    unit = given.get("unit", "1")
    if "limits" in given:
        given["limits"] = tuple(
            parse_quantity(v, unit) if isinstance(v, str) else float(v) for v in given["limits"]
        )
    if "ramp" in given:
        given["ramp"] = tuple(given["ramp"])
    made = (Switch if kind == "switch" else Knob)(settable="set" in given, readable="get" in given, **given)
    return made

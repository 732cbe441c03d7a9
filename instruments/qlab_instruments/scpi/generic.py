"""Any SCPI instrument, its knobs written in the bench file."""

from collections.abc import Mapping
from typing import Any, Unpack

from qlab.errors import UsageError
from qlab.instrument import Choice, Knob, Quantity, Switch
from qlab.units import parse_quantity
from qlab_instruments.messages import MessageInstrument, Messages

_KEYS = {
    "unit", "get", "set", "limits", "safe", "ramp", "rate", "tolerance", "choices", "settle", "scale", "part", "doc",
}  # fmt: skip
_KINDS = {"number": Knob, "switch": Switch, "choice": Choice}


def GenericSCPI(
    address: str,
    knobs: Mapping[str, Mapping[str, Any]],
    *,
    confirm: bool = True,
    identifies: str = "",
    errors: str = "",
    prepare: tuple[str, ...] = (),
    retries: int = 0,
    **options: Unpack[Messages],
) -> MessageInstrument:
    """Return an instrument with the knobs of a bench file.

    `identifies` is what its identity must match, `errors` the query of its error queue ("SYST:ERR?"), `prepare` what
    it is told first; `confirm = false` where it does not know `*OPC?`.

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
    members |= {
        "__doc__": "A SCPI instrument from a bench file.",
        "identifies": identifies,
        "complaint": errors,
        "done": "*OPC?" if confirm else "",
        "prepare": tuple(prepare),
        "retries": retries,
    }
    made: type[MessageInstrument] = type("GenericSCPI", (MessageInstrument,), members)
    return made(address, **options)


def _knob(name: str, text: Mapping[str, Any]) -> Quantity[Any]:
    given = dict(text)
    kind = given.pop("kind", "number")
    words = {key: given.pop(key) for key in ("words",) if key in given}
    unknown = set(given) - _KEYS
    if unknown or kind not in _KINDS or not (given.get("get") or given.get("set")):
        raise UsageError(
            f"The knob {name!r} is not written right{': ' + ', '.join(sorted(unknown)) if unknown else ''}.",
            f"Give get or set, and any of {', '.join(sorted(_KEYS))}; kind is number, switch or choice.",
        )
    unit = given.get("unit", "1")
    if "limits" in given:
        given["limits"] = tuple(_number(v, unit) for v in given["limits"])
    if "ramp" in given:
        given["ramp"] = tuple(given["ramp"])
    for key in ("rate", "tolerance", "safe"):
        if key in given and kind == "number":
            given[key] = _number(given[key], unit)
    if "settle" in given:
        given["settle"] = _number(given["settle"], "s")
    ways = {"settable": "set" in given, "readable": "get" in given}
    if kind == "choice":
        given.pop("unit", None)
        return Choice(words.get("words") or _missing(name), **ways, **given)
    made: Quantity[Any] = _KINDS[kind](**ways, **words, **given)
    return made


def _missing(name: str) -> Mapping[str, str]:
    raise UsageError(f"The choice {name!r} has no words.", 'Give words = {sine = "SIN", square = "SQU"}.')


def _number(value: Any, unit: str) -> float:
    return parse_quantity(value, unit) if isinstance(value, str) else float(value)

"""An instrument of ours around a driver of somebody else's."""

import contextlib
import hashlib
import importlib
import io
import itertools
import json
import logging
import time
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypedDict

from qlab.errors import InstrumentError, LostError, QlabError, UsageError
from qlab.instrument import Instrument, Quantity
from qlab.settings import config_folder
from qlab_instruments.foreign.found import OFF, ON, Found, knobs_of, overlay, read_overlay
from qlab_instruments.foreign.worker import Worker

LOG = logging.getLogger("qlab.foreign")
OPENING = 30.0  # s that a driver may take to connect
SNAPSHOT = 5.0  # s that all readings of a snapshot may take together
_BROKEN = ("VisaIOError", "SerialException", "InvalidSession")
_NUMBERS = itertools.count(1)


class Options(TypedDict, total=False):
    """What a bench file may say of any driver of other people; whatever else it says goes to the driver."""

    timeout: float  # s that a call may take
    names: Mapping[str, str]  # knob -> what the driver calls it
    knobs: Mapping[str, Mapping[str, Any]]  # knob -> what the driver does not tell of it: an overlay
    overlay: str  # a TOML file with one
    only: bool  # show just the knobs that are named here


class ForeignInstrument(Instrument):
    """A driver of another library behind our knobs, in a thread of its own; one call at a time, each with a deadline.

    Limits, ramps and choices are checked here, before the driver sees a value. After each set the quantity is read
    back where it can be, which waits for the device as well. What runs in the driver's thread has names with an
    underscore: public methods would wait for the lock that the caller holds.
    """

    library: ClassVar[str] = ""
    target: ClassVar[str] = ""

    def __init__(self, make: Callable[[str], Any], address: str, timeout: float) -> None:
        super().__init__()
        self.address = address
        self.timeout = timeout
        self.call_timeout = timeout + 2.0
        self._make = make
        self._driver: Any = None
        self._worker: Worker | None = None

    def open(self) -> None:
        """Make the driver, which connects, and see who is there."""
        self.close()
        self._worker = Worker(self.name)
        try:
            self._driver = self._worker.call(
                lambda: quietly(lambda: self._make(fresh_name(self.name))), OPENING
            )
            self.identity()
        except Exception as error:
            self.close()
            raise InstrumentError(
                f"{self.name} does not answer{f' at {self.address}' if self.address else ''}"
                f" ({type(error).__name__}: {error}).",
                "Check its address, cable and power.",
            ) from error

    def close(self) -> None:
        """Let go of the device and of the driver."""
        driver, self._driver = self._driver, None
        worker, self._worker = self._worker, None
        if worker is not None:
            if driver is not None:
                with contextlib.suppress(Exception):
                    worker.call(lambda: self._let_go(driver), self.timeout)
            worker.end()

    def abort(self) -> None:
        """Close the connection under a call that hangs."""
        driver = self._driver
        for path in ("visa_handle", "adapter.connection", "adapter"):
            with contextlib.suppress(Exception):
                reach(driver, f"{path}.close")()
                return

    def _let_go(self, driver: Any) -> None:
        """Close a driver."""
        raise NotImplementedError

    def _who(self, driver: Any) -> dict[str, str]:
        """Ask a driver for the identity of its device."""
        raise NotImplementedError

    def identity(self) -> dict[str, str]:
        """Return what the driver knows of its device."""
        return {k: str(v or "") for k, v in dict(self._call(self._who)).items()}

    def _get(self, driver: Any, path: str) -> Any:
        """Read a quantity of a driver."""
        raise NotImplementedError

    def _put(self, driver: Any, path: str, value: Any) -> None:
        """Set a quantity of a driver."""
        raise NotImplementedError

    def ask(self, knob: Quantity[Any]) -> float | bool:
        """Read a quantity; raise InstrumentError where it is no number, and not what it may be."""
        raw = self._call(lambda driver: self._get(driver, knob.get_command))
        try:
            return _value(knob, raw)
        except (TypeError, ValueError):
            raise InstrumentError(
                f"{self.name}.{knob.name} answered {raw!r}.", "Something else was expected: check the driver."
            ) from None

    def tell(self, knob: Quantity[Any], value: float | bool) -> None:
        """Set a quantity, and wait for the device by reading it back."""
        raws = getattr(knob, "raws", ())
        told: Any = _plain(knob, value)
        if raws and (knob.kind is bool or knob.labels):
            told = raws[int(value)]
        elif raws:
            told = raws[knob.choices.index(float(value))]  # as the driver has it, not as a division gives it
        if "|" in knob.set_command:
            self._call(lambda driver: reach(driver, knob.set_command.split("|")[int(value)])())
        else:
            self._call(lambda driver: self._put(driver, knob.set_command, told))
        if knob.readable and not knob.settle:
            self._call(lambda driver: self._get(driver, knob.get_command))

    def snapshot(self) -> dict[str, dict[str, Any]]:
        """Return every quantity that can be read in time; the others as not read: some drivers have hundreds."""
        state: dict[str, dict[str, Any]] = {}
        until, lost = time.monotonic() + SNAPSHOT, False
        for name, knob in self.knobs().items():
            if not (knob.readable and knob.settable):
                continue
            if lost or (time.monotonic() > until and name not in self.known):
                state[name] = {"error": "not read: the driver is slow or gone", "unit": knob.unit}
                continue
            try:
                state[name] = {"value": self.read_knob(knob), "unit": knob.unit}
            except (InstrumentError, OSError) as error:
                # A device that is gone costs its timeout once, not for each of its quantities.
                lost = isinstance(error, LostError)
                state[name] = {"error": str(error), "unit": knob.unit}
        return state

    def _call(self, what: Callable[[Any], Any]) -> Any:
        driver, worker = self._driver, self._worker
        if driver is None or worker is None:
            raise LostError(f"{self.name} is not connected.", "Open the bench first.", self)
        try:
            return worker.call(lambda: what(driver), self.timeout)
        except QlabError:
            raise
        except Exception as error:
            said = f"({type(error).__name__}: {error})"
            if isinstance(error, OSError | EOFError) or type(error).__name__ in _BROKEN:
                raise LostError(
                    f"{self.name} did not answer {said}.", "Check its connection.", self
                ) from error
            raise InstrumentError(f"{self.name}: its driver failed {said}.", "Check the driver.") from error


def _plain(knob: Quantity[Any], value: float | bool) -> Any:
    if knob.kind is bool:
        return bool(value)
    number = float(value) / knob.scale
    # Drivers that want whole numbers often check the type.
    return int(number) if number.is_integer() and abs(number) < 1e6 else number


def _value(knob: Quantity[Any], raw: Any) -> float | bool:
    raws = [str(r).lower() for r in getattr(knob, "raws", ())]
    if (knob.kind is bool or knob.labels) and raws:
        said = str(raw).lower()
        if knob.kind is bool and said not in raws and said in ON | OFF:
            return said in ON
        place = raws.index(said) if said in raws else _place(raws, raw)
        return bool(place) if knob.kind is bool else float(place)
    return bool(raw) if knob.kind is bool else float(raw) * knob.scale


def _place(raws: list[str], raw: Any) -> int:
    """Return which allowed value a number means: the one equal to it, or the one at that place."""
    try:
        return [float(r) for r in raws].index(float(raw))
    except ValueError:
        if isinstance(raw, int) and 0 <= raw < len(raws):
            return int(raw)
        raise


def built(
    kind: type[ForeignInstrument],
    target: str,
    make: Callable[[str], Any],
    learn: Callable[[], list[Found]],
    options: Mapping[str, Any],
    library: str = "",
) -> ForeignInstrument:
    """Return an instrument with the knobs of a driver of `library`, which the class names where it is not given.

    `options` are those of `Options`, and its `address`.
    """
    library = library or kind.library
    over: dict[str, dict[str, Any]] = {n: dict(k) for n, k in overlay(library, target).items()}
    if options.get("overlay"):
        over |= read_overlay(Path(options["overlay"]))
    for name, path in dict(options.get("names") or {}).items():
        over[name] = {**over.get(name, {}), "from": path}
    for name, text in dict(options.get("knobs") or {}).items():
        over[name] = {**over.get(name, {}), **text}
    knobs = knobs_of(learn(), over, only=bool(options.get("only")))
    members = {**knobs, "title": target, "vendor": library, "target": target, "__doc__": f"{target}."}
    own: type[ForeignInstrument] = type(kind.__name__, (kind,), _without_clashes(members))
    return own(make, str(options.get("address") or ""), float(options.get("timeout") or 3.0))


def _without_clashes(members: dict[str, Any]) -> dict[str, Any]:
    """Return members of which none hides what an instrument is: a quantity `state` becomes `state_`."""
    reserved = {n for n in dir(Instrument) if not n.startswith("__")} | set(vars(Instrument()))
    keep = {"title", "vendor", "target", "__doc__"}
    return {(f"{n}_" if n in reserved and n not in keep else n): m for n, m in members.items()}


def remembered(
    library: str, target: str, options: Mapping[str, Any], learn: Callable[[], list[Found]]
) -> list[Found]:
    """Return what a driver has, from last time if there was one: finding it out may need the device."""
    file = _memory(library, target, options)
    try:
        return [Found.from_dict(entry) for entry in json.loads(file.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        found = learn()
    with contextlib.suppress(OSError, TypeError):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps([f.to_dict() for f in found]), encoding="utf-8")
    return found


def forget(library: str, target: str, options: Mapping[str, Any]) -> None:
    """Have a driver looked up anew the next time."""
    with contextlib.suppress(OSError):
        _memory(library, target, options).unlink(missing_ok=True)


def _memory(library: str, target: str, options: Mapping[str, Any]) -> Path:
    key = json.dumps([target, sorted((k, str(v)) for k, v in options.items())])
    return config_folder() / "drivers" / f"{library}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"


def quietly(what: Callable[[], Any]) -> Any:
    """Call something that prints and warns; what it says goes to the log."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = what()
    if said.getvalue().strip():
        LOG.info(said.getvalue().strip())
    return result


def reach(thing: Any, path: str) -> Any:
    """Return what lies at a dotted path."""
    for part in path.split("."):
        thing = getattr(thing, part)
    return thing


def fresh_name(name: str) -> str:
    """Return a name that nobody has: some libraries keep a list of all there ever were."""
    return f"qlab_{''.join(c if c.isalnum() else '_' for c in name)}_{next(_NUMBERS)}"


def class_at(target: str, under: str, extra: str) -> Any:
    """Return the class at a dotted path, looked for under a package first; raise UsageError where it is not there."""
    module, _, name = target.rpartition(".")
    try:
        importlib.import_module(under.partition(".")[0])
    except ModuleNotFoundError:
        raise UsageError(
            f"{extra} drivers need the package.", f"pip install 'qlab-metrology[{extra}]'"
        ) from None
    for place in (f"{under}.{module}", module):
        load = partial(importlib.import_module, place)
        try:
            found = quietly(load)
        except ModuleNotFoundError as error:
            if error.name and place.startswith(error.name):
                continue
            raise UsageError(
                f"The driver {target} needs {error.name}.", f"pip install {error.name}"
            ) from error
        if hasattr(found, name):
            return getattr(found, name)
    raise UsageError(
        f"{extra} has no driver {target!r}.", f"Give the path below {under}, such as maker.Class."
    )

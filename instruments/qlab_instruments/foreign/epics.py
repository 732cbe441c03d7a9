"""What an EPICS server offers, by Channel Access: `driver = "epics:LAB:MW:"` in a bench file; needs caproto."""

import contextlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Unpack

from qlab.errors import UsageError
from qlab_instruments.foreign.found import Found, of_values, unit_of
from qlab_instruments.foreign.instrument import ForeignInstrument
from qlab_instruments.foreign.served import Served, served
from qlab_instruments.vendor import package

INSTALL = "pip install 'qlab-metrology[epics]'"
INVALID = 3  # the severity of an alarm that says: this is no measurement
_IDENTITY = ("vendor", "model", "serial", "firmware")


class Channels:
    """Process variables by the names of their knobs; `places` says where each is set and where it is read."""

    def __init__(self, places: Mapping[str, tuple[str, str]], who: str, timeout: float) -> None:
        library = package("caproto", INSTALL)
        client = package("caproto.threading.client", INSTALL)
        self._types, self._error, self._may = library.ChannelType, library.CaprotoError, library.AccessRights
        self._places, self._identity, self._timeout = places, who, timeout
        wanted = sorted({place for pair in (*places.values(), ("", who)) for place in pair if place})
        self._broadcaster = client.SharedBroadcaster()
        try:
            self._context = client.Context(self._broadcaster, timeout=timeout)
            self._known = dict(zip(wanted, self._context.get_pvs(*wanted, timeout=timeout), strict=True))
            self._connect()
            self._words = {name: self._choices(name) for name in places}
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of all of them."""
        if hasattr(self, "_context"):
            self._context.disconnect()
        self._broadcaster.disconnect()

    def who(self) -> dict[str, str]:
        """Return the server, and what the identity says: split at its commas where it has several fields."""
        host, port = next(iter(self._known.values())).channel.circuit.address
        server = {"server": f"{host}:{port}"}
        if not self._identity:
            return {"vendor": "EPICS", **server}
        fields = [field.strip() for field in str(self._read(self._identity)).split(",")]
        return {**dict(zip(_IDENTITY if len(fields) > 1 else ("model",), fields, strict=False)), **server}

    def get(self, path: str) -> Any:
        """Read a variable; a choice is the word for its number."""
        put, get = self._places[path]
        value = self._read(get or put)
        words = self._words[path]
        return words[int(value)] if words and 0 <= int(value) < len(words) else value

    def put(self, path: str, value: Any) -> None:
        """Set a variable and wait until the server has done what follows from it."""
        pv = self._known[self._places[path][0]]
        if not pv.access_rights & self._may.WRITE:
            raise ValueError(f"{pv.name} may not be written from here")
        if isinstance(value, str):  # a choice goes over the wire as its number
            value = self._words[path].index(value)
        self._call(pv.write, [value], timeout=self._timeout)

    def found(self) -> list[Found]:
        """Return the variables that are numbers, switches or choices."""
        return [found for name in self._places if (found := self._found(name)) is not None]

    def _found(self, name: str) -> Found | None:
        put, get = self._places[name]
        pv = self._known[put or get]
        may_write = bool(put and pv.access_rights & self._may.WRITE)
        more: dict[str, Any] = {"readable": bool(get), "settable": may_write}
        if words := self._words[name]:
            return of_values(name, words, **more)
        kind = pv.channel.native_data_type
        if kind in {self._types.STRING, self._types.ENUM} or pv.channel.native_data_count != 1:
            return None
        told = self._call(pv.read, data_type="control", timeout=self._timeout).metadata
        low, high = float(told.lower_ctrl_limit), float(told.upper_ctrl_limit)
        if not low < high:  # both are 0 where nobody has set any
            low, high = -math.inf, math.inf
        return Found(name, unit=unit_of(_text(told.units)), low=low, high=high, **more)

    def _choices(self, name: str) -> list[str]:
        put, get = self._places[name]
        pv = self._known[put or get]
        if pv.channel.native_data_type != self._types.ENUM:
            return []
        told = self._call(pv.read, data_type="control", timeout=self._timeout).metadata
        return [_text(word) for word in told.enum_strings]

    def _connect(self) -> None:
        until = time.monotonic() + self._timeout
        for pv in self._known.values():
            with contextlib.suppress(TimeoutError):
                pv.wait_for_connection(timeout=max(until - time.monotonic(), 1e-3))
        if silent := [place for place, pv in self._known.items() if not pv.connected]:
            raise TimeoutError(f"nobody serves {', '.join(silent)}")

    def _read(self, place: str) -> Any:
        pv = self._known[place]
        said = self._call(pv.read, data_type="time", timeout=self._timeout)
        if said.metadata.severity == INVALID:
            status = getattr(said.metadata.status, "name", said.metadata.status)
            raise ValueError(f"{place} calls its value invalid ({status})")
        if said.data_type in {self._types.TIME_STRING, self._types.STRING}:
            return _text(said.data[0])
        if pv.channel.native_data_type == self._types.CHAR and len(said.data) > 1:  # a long string
            return _text(bytes(bytearray(said.data)))
        return said.data[0].item()

    def _call(self, what: Callable[..., Any], *values: Any, **options: Any) -> Any:
        try:
            return what(*values, **options)
        except TimeoutError:
            raise
        except self._error as error:
            raise ValueError(" ".join(str(error).split())) from None


def _text(raw: Any) -> str:
    return raw.split(b"\0")[0].decode("latin-1") if isinstance(raw, bytes) else str(raw)


def EPICS(
    target: str, pvs: Mapping[str, str | Sequence[str]], who: str = "", **options: Unpack[Served]
) -> ForeignInstrument:
    """Take EPICS variables: `target` is what their names begin with, `pvs` maps knobs to the rest of them.

    `"FREQ"` is set and read at one place, `["FREQ", "FREQ_RBV"]` set at the first and read at the second,
    `["", "TEMP"]` only read. `who` is the variable that tells the identity, which must match `identifies`.
    Unit, limits and choices are those that the server tells; `knobs` adds to them as for other people's drivers.
    Servers are found as EPICS finds them (EPICS_CA_ADDR_LIST).
    """
    places = {name: _place(name, where, target) for name, where in pvs.items()}
    # Shorter than what the instrument waits for its driver, so that it is the server that is told of.
    timeout = 0.8 * float(options.get("timeout") or 3.0)
    whose = target + who if who else ""
    return served("epics", target, lambda: Channels(places, whose, timeout), places, options)


def _place(name: str, where: str | Sequence[str], prefix: str) -> tuple[str, str]:
    pair = (where, where) if isinstance(where, str) else tuple(where)
    if len(pair) != 2 or not any(pair):
        raise UsageError(
            f"The knob {name!r} has no variable.", 'Give "NAME", ["SET", "READ"] or ["", "READ"].'
        )
    put, get = (prefix + part if part else "" for part in pair)
    return put, get

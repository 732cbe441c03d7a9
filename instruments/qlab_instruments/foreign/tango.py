"""What a Tango device serves: `driver = "tango:lab/microwave/1"` in a bench file; needs PyTango."""

import math
import time
from collections.abc import Callable
from typing import Any, Unpack

from qlab_instruments.foreign.found import Found, of_values, unit_of
from qlab_instruments.foreign.instrument import ForeignInstrument
from qlab_instruments.foreign.served import Served, served
from qlab_instruments.vendor import package

INSTALL = "pip install 'qlab-metrology[tango]'"
POLL = 0.02  # s between two looks at a device that moves


class Attributes:
    """The attributes of a device."""

    def __init__(self, device: str, timeout: float) -> None:
        self._tango, self._timeout = package("tango", INSTALL), timeout
        try:
            self._proxy = self._tango.DeviceProxy(device)
            self._proxy.set_timeout_millis(round(timeout * 1000))
            self._proxy.ping()
        except self._tango.DevFailed as error:
            raise ConnectionError(said(error)) from None

    def close(self) -> None:
        """Let go of the device: a proxy has nothing to close."""

    def who(self) -> dict[str, str]:
        """Return the class of the device, its server and where that runs."""
        info = self._call(self._proxy.info)
        return {
            "vendor": "Tango",
            "model": info.dev_class,
            "serial": info.server_id,
            "server": info.server_host,
        }

    def get(self, path: str) -> Any:
        """Read an attribute."""
        read = self._call(self._proxy.read_attribute, path)
        if read.quality == self._tango.AttrQuality.ATTR_INVALID or read.value is None:
            raise ValueError(f"{path} is invalid, says the device: {self._call(self._proxy.status)}")
        return read.value

    def put(self, path: str, value: Any) -> None:
        """Set an attribute and wait until the device has stopped moving; raise ValueError where it is in a fault."""
        if isinstance(value, str):  # a choice goes over the wire as its number
            value = list(self._call(self._proxy.get_attribute_config, path).enum_labels).index(value)
        self._call(self._proxy.write_attribute, path, value)
        until = time.monotonic() + self._timeout
        while (state := self._call(self._proxy.state)) == self._tango.DevState.MOVING:
            if time.monotonic() > until:
                raise TimeoutError(f"the device still moves {self._timeout:g} s after {path} was set")
            time.sleep(POLL)
        if state == self._tango.DevState.FAULT:
            raise ValueError(f"the device is in a fault: {self._call(self._proxy.status)}")

    def __getattr__(self, command: str) -> Callable[[], Any]:
        """Return what calls a command of the device, for what is switched by two of them."""
        if command.startswith("_"):
            raise AttributeError(command)
        return lambda: self._call(self._proxy.command_inout, command)

    def found(self) -> list[Found]:
        """Return the attributes that are numbers, switches or choices."""
        names = list(self._call(self._proxy.get_attribute_list))
        told = self._call(self._proxy.get_attribute_config_ex, names)
        return [found for one in told if (found := self._found(one)) is not None]

    def _found(self, told: Any) -> Found | None:
        kinds, writes = self._tango.CmdArgType, self._tango.AttrWriteType
        if told.data_format != self._tango.AttrDataFormat.SCALAR:
            return None
        more: dict[str, Any] = {
            "readable": told.writable != writes.WRITE,
            "settable": told.writable != writes.READ,
            "doc": told.description if told.description != "No description" else told.label,
        }
        if told.data_type == kinds.DevBoolean:
            return Found(told.name, "switch", raws=(False, True), **more)
        if told.data_type == kinds.DevEnum:
            found = of_values(told.name, list(told.enum_labels), **more)
            two = found is not None and found.kind == "switch"
            return Found(told.name, "switch", raws=(0, 1), **more) if two else found
        if told.data_type == kinds.DevState:
            return Found(told.name, "choice", raws=tuple(self._tango.DevState.names), **more)
        if told.data_type in {kinds.DevString, kinds.DevEncoded}:
            return None
        low, high = _limit(told.min_value, -math.inf), _limit(told.max_value, math.inf)
        return Found(told.name, unit=unit_of(told.unit), low=low, high=high, **more)

    def _call(self, what: Any, *values: Any) -> Any:
        try:
            return what(*values)
        except (self._tango.ConnectionFailed, self._tango.CommunicationFailed) as error:
            raise ConnectionError(said(error)) from None
        except self._tango.DevFailed as error:
            raise ValueError(said(error)) from None


def said(error: Any) -> str:
    """Return what a Tango error says: the first of its reasons, in one line."""
    return " ".join(str(error.args[0].desc if error.args else error).split())


def _limit(text: str, otherwise: float) -> float:
    try:
        return float(text)
    except ValueError:
        return otherwise


def Tango(target: str, **options: Unpack[Served]) -> ForeignInstrument:
    """Take a Tango device: `target` is its name, lab/microwave/1 or //host:10000/lab/microwave/1.

    Its attributes are knobs, with the units, limits and choices that the device tells; `names`, `knobs` and `only` are
    as for other people's drivers, `identifies` is what its class or server must match. Without a database the target
    is `//host:port/lab/microwave/1#dbase=no`.
    """
    timeout = float(options.get("timeout") or 3.0)
    full = f"tango:{target}" if target.startswith("//") else target
    return served("tango", target, lambda: Attributes(full, timeout), {}, options)

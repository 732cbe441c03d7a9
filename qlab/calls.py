"""Calls to devices: one at a time for each instrument, each with a deadline that somebody else can enforce."""

import inspect
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from qlab.errors import LostError

# What may be said twice without harm, so that it is repeated after a reconnection.
REPEATABLE = frozenset({"ask", "tell", "identity"})
_BARRED: set[int] = set()  # threads that may command no device any more


def bar(thread: int) -> None:
    """Forbid a thread every further command to any device."""
    _BARRED.add(thread)


def unbar(thread: int) -> None:
    """Let a thread command devices again, or forget one that has ended."""
    _BARRED.discard(thread)


@dataclass(slots=True)
class Call:
    """A call that is under way: what was called, until when it may take, and in which thread."""

    what: str
    deadline: float
    thread: int


class Wire:
    """The line to one device: its lock, and the call that is under way."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.call: Call | None = None
        self.cut = False


def watched(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a driver's method with the instrument's lock and a deadline around it.

    The deadline is the instrument's `call_timeout` (or the one of this method in `call_timeouts`), plus what the
    caller gives as `timeout`. Nobody waits on another thread here: a keeper looks at `Wire.call` now and then.
    """
    name = method.__name__
    patience = _patience(method)

    @wraps(method)
    def call(self: Any, *arguments: Any, **options: Any) -> Any:
        me = threading.get_ident()
        if _BARRED and me in _BARRED:
            raise LostError(
                f"{self.name} is given no further command.", "The run was halted or given up.", self
            )
        wire: Wire = self.wire
        allowed = self.call_timeouts.get(name, self.call_timeout)
        if patience is not None:
            allowed += patience(arguments, options)
        with wire.lock:
            outer = wire.call
            wire.call = Call(name, time.monotonic() + allowed, me)
            try:
                return method(self, *arguments, **options)
            except Exception as error:
                lost = _lost(self, wire, name, allowed, error)
                if lost is None:
                    raise
                if name == "tell" and arguments:
                    lost.knob = arguments[0].name  # nobody knows whether it has acted
                if outer is not None or self.on_lost is None or name not in REPEATABLE:
                    raise lost from error
            finally:
                wire.call = outer
                if outer is not None:
                    outer.deadline = time.monotonic() + self.call_timeout
            self.on_lost(self, lost)  # raises where there is no way back
            return call(self, *arguments, **options)

    call.__watched__ = True  # type: ignore[attr-defined]
    return call


def _lost(instrument: Any, wire: Wire, what: str, allowed: float, error: Exception) -> LostError | None:
    """Return the loss of a connection that an error stands for, or None for any other error."""
    if wire.cut:
        wire.cut = False
        return LostError(
            f"{instrument.name} did not answer to {what} within {allowed:g} s and was cut off.",
            "Check that it is switched on and not busy, then its cable.",
            instrument,
        )
    if isinstance(error, LostError):
        error.instrument = error.instrument or instrument
        return error
    if isinstance(error, (ConnectionError, TimeoutError, EOFError)):
        return LostError(
            f"{instrument.name} is out of reach ({error}).", "Check its cable and power.", instrument
        )
    return None


def _patience(method: Callable[..., Any]) -> Callable[[tuple[Any, ...], dict[str, Any]], float] | None:
    names = list(inspect.signature(method).parameters)[1:]
    if "timeout" not in names:
        return None
    place = names.index("timeout")

    def given(arguments: tuple[Any, ...], options: dict[str, Any]) -> float:
        value = options.get("timeout", arguments[place] if place < len(arguments) else 0.0)
        return float(value) if isinstance(value, int | float) else 0.0

    return given

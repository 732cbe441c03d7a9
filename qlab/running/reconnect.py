"""Reconnecting: a lost instrument is opened again and checked, while its run waits; else the run fails safe."""

import contextlib
from collections.abc import Callable

from qlab.control import Ask, Control
from qlab.errors import InstrumentError, LostError, QlabError
from qlab.instrument import Instrument
from qlab.units import format_quantity

TRIES = 3
WAIT = 0.3  # s before the first try; doubled before each further one
MOST = 10  # reconnections of one instrument in one run
SAME = 1e-6  # relative difference of a reading that counts as unchanged


class Reconnect:
    """Brings instruments back during one run; `say(line)` tells that it waits, and why ("" when it goes on)."""

    def __init__(self, control: Control, say: Callable[[str], None], log: Callable[[str, str], None]) -> None:
        self._control, self._say, self._log = control, say, log
        self._count: dict[str, int] = {}

    def __call__(self, instrument: Instrument, error: InstrumentError) -> None:
        """Reopen an instrument and check that it is what and where it was; raise InstrumentError where it is not."""
        count = self._count[instrument.name] = self._count.get(instrument.name, 0) + 1
        if count > MOST:
            raise InstrumentError(
                f"{instrument.name} was lost {count} times. {error}", "Mend its connection, then run again."
            ) from error
        instrument.state, instrument.message = "lost", str(error)
        self._log("warning", f"{error} Reconnecting.")
        self._say(f"reconnecting to {instrument.name}")
        hook, instrument.on_lost = instrument.on_lost, None
        try:
            self._try(instrument, error)
        finally:
            instrument.on_lost = hook
        instrument.state, instrument.message = "open", ""
        self._log("info", f"{instrument.name} is back, with its settings as they were.")
        self._say("")

    def _try(self, instrument: Instrument, error: InstrumentError) -> None:
        last: BaseException = error
        for attempt in range(TRIES):
            self._control.sleep(WAIT * 2**attempt)
            if self._control.ending is not Ask.NOTHING:
                raise error
            with contextlib.suppress(Exception):
                instrument.close()
            try:
                instrument.open()
                compare(instrument, getattr(error, "knob", ""))
            except (LostError, OSError) as again:
                last = again
            except QlabError as different:
                if isinstance(different, ChangedError):
                    raise
                last = different
            else:
                return
        raise InstrumentError(
            f"{instrument.name} was lost and could not be reached again in {TRIES} tries ({last}).",
            "Check its power and cable, then run again.",
        ) from error


class ChangedError(InstrumentError):
    """An instrument came back as another one, or with other settings."""


def compare(instrument: Instrument, but: str = "") -> None:
    """Raise ChangedError where an instrument is another one or stands otherwise than was known; `but` is left out."""
    who = instrument.identity()
    known = instrument.known_identity
    if known and who != known:
        raise ChangedError(
            f"Another instrument answers in place of {instrument.name}: {_named(who)} instead of {_named(known)}.",
            "Check the cabling and the addresses of the bench.",
        )
    for name, knob in instrument.knobs().items():
        if not (knob.settable and knob.readable) or name not in instrument.known or name == but:
            continue
        was, now = float(instrument.known[name][0]), float(instrument.ask(knob))
        if abs(now - was) <= max(knob.tolerance or 0.0, SAME * max(abs(now), abs(was))):
            continue
        raise ChangedError(
            f"{instrument.name} came back with {name} = {format_quantity(now, knob.unit)} instead of"
            f" {format_quantity(was, knob.unit)}: it may have been switched off and on.",
            "Check it, then run again.",
        )


def _named(identity: dict[str, str]) -> str:
    return " ".join(value for value in identity.values() if value) or "nobody"

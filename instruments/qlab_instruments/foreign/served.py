"""What the server of a control system offers, as knobs; what it tells of them may change from day to day."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Protocol

from qlab.errors import InstrumentError, QlabError, UsageError
from qlab_instruments.foreign.found import Found
from qlab_instruments.foreign.instrument import ForeignInstrument, Options, built, forget, remembered
from qlab_instruments.foreign.worker import Worker


class Served(Options, total=False):
    """What a bench file may say of a server."""

    identifies: str  # what it must say of itself, a regular expression


class Server(Protocol):
    """A connection to a server; it is made, used and closed in one thread."""

    def found(self) -> list[Found]:
        """Return the numbers, switches and choices that are served, as the server tells of them now."""
        ...

    def who(self) -> dict[str, str]:
        """Return who is there."""
        ...

    def get(self, path: str) -> Any:
        """Read a quantity; raise ValueError where the server itself says that it means nothing."""
        ...

    def put(self, path: str, value: Any) -> None:
        """Set a quantity and wait until what follows from it is done."""
        ...

    def close(self) -> None:
        """Let go of the server."""
        ...


class ServedInstrument(ForeignInstrument):
    """Quantities of a server behind our knobs. `identifies` is what it must say of itself (a regular expression)."""

    identifies: ClassVar[str] = ""
    learned: ClassVar[Mapping[str, Found]] = {}
    forgotten: ClassVar[Callable[[], None]]

    def open(self) -> None:
        """Connect, see who is there, and take the limits that the server has now."""
        super().open()
        try:
            self._recognise(" ".join(self.identity().values()))
            self._compare({found.path: found for found in self._call(lambda server: server.found())})
        except BaseException:
            self.close()
            raise

    def _recognise(self, said: str) -> None:
        if self.identifies and not re.search(self.identifies, said, re.IGNORECASE):
            raise InstrumentError(
                f"{self.name} is not what the bench file expects ({self.identifies!r}): it says {said!r}.",
                "Check its name, or `identifies` in the bench file.",
            )

    def _compare(self, now: Mapping[str, Found]) -> None:
        """Take the limits of today; raise InstrumentError where a unit or the choices are no longer those known."""
        self.model_limits = {}
        for name, knob in self.knobs().items():
            told, known = now.get(knob.get_command), self.learned[knob.get_command]
            if told is None or (told.unit, told.kind, told.raws) != (known.unit, known.kind, known.raws):
                type(self).forgotten()
                raise InstrumentError(
                    f"{self.name}.{name} is not what it was: {_words(known)} then, {_words(told)} now.",
                    "Load the bench again: it is looked up anew. Check limits and safe values first.",
                )
            if knob.settable and knob.kind is float and not knob.labels:
                self.model_limits[name] = told.low * knob.scale, told.high * knob.scale

    def _let_go(self, driver: Any) -> None:
        """Disconnect."""
        driver.close()

    def _who(self, driver: Any) -> dict[str, str]:
        """Ask who is there."""
        return dict(driver.who())

    def _get(self, driver: Any, path: str) -> Any:
        """Read."""
        return driver.get(path)

    def _put(self, driver: Any, path: str, value: Any) -> None:
        """Set."""
        driver.put(path, value)


def served(
    library: str,
    target: str,
    connect: Callable[[], Server],
    key: Mapping[str, Any],
    options: Mapping[str, Any],
) -> ForeignInstrument:
    """Return an instrument of what a server offers; `key` is, beside the target, what that depends on.

    What is served is looked up once and remembered, so that a bench can be read while its server is down.
    """
    timeout = float(options.get("timeout") or 3.0)

    def look() -> list[Found]:
        server = connect()
        try:
            return server.found()
        finally:
            server.close()

    def learn() -> list[Found]:
        worker = Worker(f"{library} {target}")
        try:
            return list(worker.call(look, 3 * timeout))
        except QlabError:
            raise
        except Exception as error:
            raise UsageError(
                f"What {library} serves at {target} cannot be looked up: {error}.",
                "Check its name, that its server runs, and that it can be reached from here.",
            ) from error
        finally:
            worker.end()

    known = remembered(library, target, key, learn)
    # Limits are those of the day on which it is opened.
    free = [replace(found, low=-math.inf, high=math.inf) for found in known]
    made = built(
        ServedInstrument,
        target,
        lambda _name: connect(),
        lambda: free,
        {"address": target, **options},
        library,
    )
    kind: Any = type(made)
    kind.learned = {found.path: found for found in known}
    kind.identifies = str(options.get("identifies") or "")
    kind.forgotten = staticmethod(lambda: forget(library, target, key))
    return made


def _words(found: Found | None) -> str:
    if found is None:
        return "nothing"
    choices = f" of {', '.join(map(str, found.raws))}" if found.raws else ""
    return f"a {found.kind}{choices}" + (f" in {found.unit}" if found.unit != "1" else "")

"""Instruments spoken to by messages: identity, error queue, confirmation and trace, over any kind of line."""

import contextlib
import logging
import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, TypedDict, Unpack

from qlab.errors import InstrumentError, LostError, QlabError
from qlab.instrument import Instrument, Quantity
from qlab.limits import Range
from qlab_instruments.wire import Line, Settings, open_line

LOG = logging.getLogger("qlab.wire")
KEPT = 200  # messages of the trace that are held in memory
MOST_ERRORS = 20  # that a queue is asked for
_FIELDS = ("vendor", "model", "serial", "firmware")


class Connection(TypedDict, total=False):
    """What a bench file may say of the line; further fields of `Settings` are taken too."""

    library: str  # "@py", "@sim"; none for what is there
    timeout: float  # s


class Messages(Connection, total=False):
    """What a bench file may say of everything that speaks messages."""

    serial: str  # refuse any other device
    settle: float  # s after each set
    trace: str  # the file of all messages


class MessageInstrument(Instrument):
    """An instrument that understands messages of text.

    `identifies` is what the answer to `who` must match (a regular expression), `expects` maps queries asked when it is
    opened to what they must answer, `prepare` is said first. After each set `done` is asked, because a write returns
    before the instrument has acted, and then `complaint`, the error queue, where `calm` is no error; "" leaves either
    out. `joined` says that a command and the query for its end may go in one message. A reply that cannot be read is
    asked for again `retries` times.
    """

    who: ClassVar[str] = "*IDN?"
    identifies: ClassVar[str] = ""
    expects: ClassVar[dict[str, str]] = {}
    prepare: ClassVar[tuple[str, ...]] = ()
    done: ClassVar[str] = "*OPC?"
    complaint: ClassVar[str] = "SYST:ERR?"
    calm: ClassVar[str] = r"^[+-]?0+(\D|$)"
    joined: ClassVar[bool] = True
    retries: ClassVar[int] = 1
    speaks: ClassVar[
        dict[str, Any]
    ] = {}  # the terminator, baud rate and timeout that this kind of device has
    dialogue: ClassVar[str] = ""  # the name of the simulated device that it can be tried on
    rehearses: ClassVar[dict[str, Any]] = {}  # further options for such a trial
    models: ClassVar[
        dict[str, dict[str, Range]]
    ] = {}  # limits of knobs by what the identity says of the model
    bounds: ClassVar[
        tuple[str, ...]
    ] = ()  # knobs whose limits this very device tells: its query with MIN and MAX

    def __init__(
        self,
        address: str,
        *,
        serial: str = "",
        settle: float = 0.0,
        trace: str = "",
        **settings: Unpack[Connection],
    ) -> None:
        super().__init__()
        self.address = address
        self.settings = Settings(**{**self.speaks, **settings})
        # The line's own timeout comes first; a library that hangs all the same is cut off after this.
        self.call_timeout = 2 * self.settings.timeout + 2.0
        self.serial, self.settle = serial, settle
        self.trace: deque[str] = deque(maxlen=KEPT)
        self._trace_file = Path(trace) if trace else None
        self._line: Line | None = None

    @classmethod
    @contextlib.contextmanager
    def rehearsal(cls) -> Iterator[dict[str, Any]]:
        """Serve the simulated device of this driver; yield the options that make an instrument speak to it."""
        from qlab_instruments.dialogues.device import SimulatedDevice
        from qlab_instruments.dialogues.server import Served

        settings = Settings(**cls.speaks)
        with Served(SimulatedDevice.read(cls.dialogue), settings.terminator, settings.sent) as served:
            yield {"address": served.address, **cls.rehearses}

    def open(self) -> None:
        """Connect and see who is there; raises InstrumentError where it is nobody or somebody else."""
        self.close()  # one that was lost is opened anew over what is left of it
        try:
            self._line = open_line(self.address, self.settings)
            who = self.identity()
        except Exception as error:
            self.close()
            if isinstance(error, QlabError) and not isinstance(error, InstrumentError):
                raise
            # The libraries raise a dozen kinds of error here, some of them only at the first query.
            raise InstrumentError(
                f"{self.name} does not answer at {self.address} ({error}).",
                "Check its address, cable and power.",
            ) from error
        try:
            self._recognise(who)
            self._know_limits(who.get("model", ""))
            for message in self.prepare:
                self.say(message)
            for query, wanted in self.expects.items():
                self._expect(query, wanted)
        except BaseException:
            self.close()
            raise

    def _recognise(self, who: dict[str, str]) -> None:
        said = " ".join(value for value in who.values() if value)
        if self.identifies and not re.search(self.identifies, said, re.IGNORECASE):
            raise InstrumentError(
                f"{self.name} at {self.address} is not a {self.title or type(self).__name__}: it says {said!r}.",
                "Check the address, or the driver in the bench file.",
            )
        if self.serial and who.get("serial") != self.serial:
            raise InstrumentError(
                f"{self.name} has the serial number {who.get('serial', '')!r} instead of {self.serial!r}.",
                "Check the cabling, or the serial number in the bench file.",
            )

    def _know_limits(self, model: str) -> None:
        found = [limits for name, limits in self.models.items() if re.search(name, model, re.IGNORECASE)]
        self.model_limits = dict(found[0]) if found else {}
        for name in self.bounds:
            knob = self.knobs()[name]
            low, high = (float(knob.parse(self.query(f"{knob.get_command} {end}"))) for end in ("MIN", "MAX"))
            self.model_limits[name] = low, high

    def _expect(self, query: str, wanted: str) -> None:
        said = self.query(query)
        if not re.search(wanted, said, re.IGNORECASE):
            raise InstrumentError(
                f"{self.name} answers {said!r} to {query}, where this driver needs {wanted!r}.",
                "Set it so at its front panel: its values would be read in the wrong unit.",
            )

    def close(self) -> None:
        """Let go of the instrument."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def abort(self) -> None:
        """Close the line under a call that hangs."""
        with contextlib.suppress(Exception):
            self.close()

    def identity(self) -> dict[str, str]:
        """Return what the instrument says of itself: vendor, model, serial number, firmware."""
        fields = [part.strip() for part in self.query(self.who).split(",")]
        return dict(zip(_FIELDS, fields, strict=False))

    def ask(self, knob: Quantity[Any]) -> float | bool:
        """Send the knob's query and read the reply; one that cannot be read is asked for again."""
        for left in range(self.retries, -1, -1):
            reply = self.query(knob.get_command)
            try:
                return knob.parse(reply)
            except ValueError:
                if not left:
                    raise InstrumentError(
                        f"{self.name} answered {reply!r} to {knob.get_command}.",
                        "Something else was expected: check its terminator and the driver.",
                    ) from None
                self._transact(lambda line: line.clear())
        raise AssertionError

    def tell(self, knob: Quantity[Any], value: float | bool) -> None:
        """Send the knob's command, wait until the instrument has acted, and hear its complaints."""
        self.say(knob.message(value))

    def say(self, command: str) -> None:
        """Send a command, wait until the instrument has acted; raise InstrumentError where it complains."""
        if self.done and self.joined:
            self.query(f"{command};{self.done}")
        else:
            self.send(command)
            if self.done:
                self.query(self.done)
        if self.settle:
            time.sleep(self.settle)
        if self.complaint:
            self._hear_complaints(command)

    def _hear_complaints(self, command: str) -> None:
        said: list[str] = []
        while len(said) < MOST_ERRORS:
            reply = self.query(self.complaint)
            if re.search(self.calm, reply):
                break
            said.append(reply)
        if said:
            raise InstrumentError(
                f"{self.name} did not take {command!r}: it says {'; '.join(said)}.",
                "Look the error up in its manual.",
            )

    def query(self, message: str) -> str:
        """Send a message and return the reply; raises LostError where none comes."""

        def ask(line: Line) -> str:
            line.write(message)
            return line.read()

        self._note(">", message)
        reply = str(self._transact(ask)).strip()
        self._note("<", reply)
        return reply

    def send(self, message: str) -> None:
        """Send a message that has no reply."""
        self._note(">", message)
        self._transact(lambda line: line.write(message))

    def send_block(self, head: str, data: bytes) -> None:
        """Send a command with a definite-length block of bytes after it (IEEE 488.2, 7.7.6)."""
        count = str(len(data))
        self._note(">", f"{head}#{len(count)}{count}<{count} bytes>")
        message = f"{head}#{len(count)}{count}".encode("ascii") + data
        self._transact(lambda line: line.write_bytes(message + self.settings.sent.encode("ascii")))

    def _note(self, way: str, text: str) -> None:
        entry = f"{time.time():.3f} {self.name} {way} {text}"
        self.trace.append(entry)
        LOG.debug(entry)
        if self._trace_file is not None:
            with self._trace_file.open("a", encoding="utf-8") as file:
                file.write(entry + "\n")

    def _transact(self, action: Callable[[Line], Any]) -> Any:
        line = self._line
        if line is None:
            raise LostError(f"{self.name} is not connected.", "Open the bench first.", self)
        try:
            return action(line)
        except UnicodeDecodeError as error:
            raise InstrumentError(
                f"{self.name} answered bytes that are no text ({error.object[:20]!r}).",
                "Check its baud rate, its terminator and the driver.",
            ) from error
        except Exception as error:
            # VisaIOError, BrokenPipeError, SerialException ...: one kind from here on. After a timeout a late
            # answer may still be on its way, to be taken for that of the next query: the connection is lost too.
            self._note("!", f"{type(error).__name__}: {error}")
            raise LostError(
                f"{self.name} did not answer ({type(error).__name__}: {error}).",
                "Check its connection.",
                self,
            ) from error

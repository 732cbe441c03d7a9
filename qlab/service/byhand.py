"""What people do by hand in a bench process: the bench they keep open, its panel, its knobs."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from qlab.errors import QlabError
from qlab.service.channel import Message
from qlab.service.patience import Patience

if TYPE_CHECKING:
    from qlab.bench import Bench
    from qlab.service.hand import HandBench

LONG = 0.5  # s from which a ramp goes on beside


class ByHand:
    """The bench that people keep open, used from the main thread of a bench process. `tell` sends events."""

    def __init__(self, tell: Callable[[Message], None], patience: Patience) -> None:
        self._tell, self._patience = tell, patience
        self._hand: HandBench | None = None

    @property
    def open(self) -> bool:
        """Whether people want a bench kept open."""
        return self._hand is not None

    def watches(self, bench: str) -> bool:
        """Return whether people look at the panel of a bench; from any thread."""
        hand = self._hand
        return hand is not None and hand.watch and hand.name == bench

    def knobs(self, bench: str) -> dict[str, float | bool | str]:
        """Return what was set by hand on a bench since it was last safe."""
        hand = self._here(bench)
        return {} if hand is None else dict(hand.by_hand)

    def lend(self, bench: str) -> "Bench | None":
        """Return the open bench for a run, where it is a real one: a simulated run has a fresh one of its own.

        A ramp that is still on its way ends there, and says so: from here on the run turns the knobs.
        """
        hand = self._here(bench)
        if hand is None or hand.bench is None or hand.bench.simulated:
            return None
        for instrument in hand.bench.instruments.values():
            if instrument.ramping:
                instrument.break_off()
        return hand.bench

    def _here(self, bench: str) -> "HandBench | None":
        return (
            self._hand if self._hand is not None and self._hand.name == bench and self._hand.bench else None
        )

    @contextlib.contextmanager
    def _careful(self) -> Iterator[None]:
        """Log what instruments refuse; how long they take is told with each sign of life."""
        with self._told(), self._patience:
            yield

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except QlabError as error:
            self._tell({"event": "log", "level": "error", "message": str(error)})
        except Exception as error:  # noqa: BLE001 - a driver may raise anything; the bench process goes on
            said = f"{type(error).__name__}: {error}"
            self._tell({"event": "log", "level": "error", "message": said})

    def take(self, message: Message) -> None:
        """Open a bench for people, or learn for what they want it: {bench, watch, serve, known}."""
        with self._careful():
            self._take(message)

    def _take(self, message: Message) -> None:
        from qlab.service.hand import HandBench

        name, serve = message["bench"], bool(message.get("serve"))
        if self._hand is None or self._hand.name != name:
            self.let_go()
            self._hand = HandBench(name)
        hand, new = self._hand, serve and not self._hand.serve
        hand.watch, hand.serve = bool(message.get("watch")), serve
        hand.guard(message.get("rules", hand.rules))
        served = {"event": "served", "bench": name}
        try:
            hand.open(message.get("known", {}))
            self._refresh()
        except Exception as error:
            if new:
                hand.serve = False
                self._tell({**served, "ok": False, "message": str(error)})
            raise
        if new:
            self._tell({**served, "ok": True, "message": "", "instruments": hand.kinds()})

    def refresh(self) -> None:
        """Read what can be read, and show it where somebody looks."""
        with self._careful():
            self._refresh()

    def _refresh(self) -> None:
        hand = self._hand
        if hand is None:
            return
        if hand.bench is not None:
            hand.refresh(self._tell)
        elif hand.may_try:
            with contextlib.suppress(QlabError):
                hand.open({})
        if hand.watch:
            self._tell(hand.panel())

    def turn(self, message: Message) -> None:
        """Set a knob: {bench, instrument, knob, value}."""
        with self._careful():
            if self._hand is None or self._hand.name != message["bench"]:
                self._take({"bench": message["bench"]})
            if self._hand is not None:
                self._hand.open({})
                self._turn(*self._hand.turn(message["instrument"], message["knob"], message["value"]))
            self._refresh()

    def _turn(self, turn: Callable[[], str], seconds: float) -> None:
        """Set a knob; a long ramp goes on beside, so that it is watched meanwhile and can be broken off."""

        def work() -> None:
            with self._told():
                self._tell({"event": "log", "level": "info", "message": turn()})

        if seconds < LONG:
            work()
            return
        threading.Thread(target=work, daemon=True, name="qlab ramp").start()

    def make_safe(self, bench: str) -> dict[str, str] | None:
        """Make the bench safe where it is the one that is open; None where it is not."""
        hand = self._here(bench)
        return None if hand is None else hand.make_safe()

    def after_run(self, bench: str) -> None:
        """Follow the end of a run: it made its bench safe, and so is what people see of a simulated one."""
        hand = self._here(bench)
        if hand is not None:
            with self._careful():
                hand.make_safe()
                self._refresh()

    def let_go(self) -> None:
        """Make the bench safe and let go of it: everybody has left."""
        if self._hand is not None:
            hand, self._hand = self._hand, None
            report: dict[str, Any] = hand.make_safe(close=True)
            self._tell({"event": "safe", "bench": hand.name, "report": report})

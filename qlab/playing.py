"""Playing a program on a bench: limits checked before the first command, shots split over passes, rows as they come."""

import contextlib
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.bench import Bench
from qlab.errors import InstrumentError, LostError, UsageError
from qlab.instrument import Instrument
from qlab.limits import check_sweep
from qlab.mixing import tell
from qlab.pulses import Program, Timeline, compile_program
from qlab.record import Block
from qlab.roles import GatedCounter, ListMode, PhotonCounter, PulsePlayer, RoundingPlayer, SelfPacedPlayer
from qlab.shots import SUFFIX

PATIENCE = 10.0  # s that a counter may stay silent beyond the duration of what is played
POLL = 0.05  # s


def play(
    bench: Bench,
    program: Program,
    passes: int = 1,
    *,
    more: Callable[[], int] = lambda: 0,
    between: Callable[[], bool] | None = None,
    told: Callable[[str], None] | None = None,
) -> Iterator[Block]:
    """Yield the rows of a program, one for each sweep point in each pass, in the order in which they are played.

    Columns: the swept symbols, the counts of each window, `shots`, `time`, `valid`. The shots are split over the
    passes, so that a stopped run has measured every point about equally; `more` says how many passes were added on
    the way, each with the shots of the first. While nothing comes an empty block is yielded now and then: a
    checkpoint alone. `between` is called before each pass and tells whether it moved any knob. `told` hears what the
    player makes of the program, rounding and all. Raises LimitError before the first command where a setpoint of the
    sweep is outside a limit, naming the point.
    """
    timeline = compile_program(program)
    check_limits(bench, timeline)
    player, counter = bench.role("player"), bench.role(_detector(timeline))
    if not isinstance(player, PulsePlayer) or not isinstance(counter, PhotonCounter):
        raise UsageError(
            f"Playing needs a player and a {_detector(timeline)}.", "Add both under [roles] of the bench."
        )
    keys = [event.key for event in timeline.events if event.kind == "acquire"]
    shots = split_shots(program.shots, passes)
    stepped: list[str] | None = None
    done, said = 0, set[str]()

    def loaded() -> None:
        if told is not None and isinstance(player, RoundingPlayer) and (words := player.report()) not in said:
            said.add(words)
            told(words)

    while done < len(shots) + more():
        moved = between() if between is not None else False
        if moved or stepped is None:
            stepped = _set(bench, timeline)
        whole = replace(timeline, shots=shots[done] if done < len(shots) else shots[0])
        for part in _parts(bench, whole, stepped):
            yield from _whole_part(bench, player, counter, part, keys, loaded)
        done += 1


def grouped(blocks: Iterator[Block], size: int) -> Iterator[Block]:
    """Yield the rows of blocks in whole groups of `size`, for a sweep whose fastest values make one point together.

    An empty block stays the checkpoint that it is; rows of a group that never was finished are left out.
    """
    left: Block = {}
    for block in blocks:
        if not block:
            yield block
            continue
        rows = {k: np.concatenate([left[k], v]) if left else np.asarray(v) for k, v in block.items()}
        whole = len(rows["time"]) // size * size
        left = {k: v[whole:] for k, v in rows.items()}
        if whole:
            yield {k: v[:whole] for k, v in rows.items()}


def _detector(timeline: Timeline) -> str:
    """Return the role that detects: the channel of the acquisition windows, all on one."""
    channels = sorted({event.channel for event in timeline.events if event.kind == "acquire"})
    if len(channels) > 1:
        raise UsageError(
            f"A program reads one detector, and this one reads {' and '.join(channels)}.",
            "Play two programs.",
        )
    return channels[0] if channels else "counter"


def split_shots(shots: int, passes: int) -> list[int]:
    """Return the shots of each pass; they sum to `shots` and differ by at most one."""
    count = max(1, min(passes, shots))
    return [shots // count + (i < shots % count) for i in range(count)]


def _whole_part(
    bench: Bench,
    player: PulsePlayer,
    counter: PhotonCounter,
    part: Timeline,
    keys: list[str],
    loaded: Callable[[], None],
) -> Iterator[Block]:
    """Play a part to its end; what is missing where an instrument was lost on the way is played once more."""
    while len(part):
        taken = 0
        try:
            with contextlib.closing(_one_pass(bench, player, counter, part, keys, loaded)) as blocks:
                for block in blocks:
                    yield block
                    taken += len(block["shots"]) if block else 0
        except LostError as error:
            instrument = error.instrument
            if instrument is None or instrument.on_lost is None:
                raise
            instrument.on_lost(instrument, error)  # raises where there is no way back
            part = part.take(slice(taken, None))
            continue
        return


def _one_pass(
    bench: Bench,
    player: PulsePlayer,
    counter: PhotonCounter,
    part: Timeline,
    keys: list[str],
    loaded: Callable[[], None],
) -> Generator[Block, None, None]:
    player.load(part)
    loaded()
    if isinstance(counter, GatedCounter):
        counter.expect(part.shots)
    counter.arm(keys, len(part))
    real = tell(bench.world, player, part)
    player.start()
    taken = 0
    lasts = float(part.duration.sum()) * 1e-12 * part.shots
    until = time.monotonic() + lasts if real else 0.0
    deadline = time.monotonic() + lasts + PATIENCE
    try:
        while taken < len(part):
            seen = counter.read(POLL)
            fresh = len(next(iter(seen.values()))) if seen else 0
            if fresh:
                yield _block(bench, part, seen, keys, slice(taken, taken + fresh))
                taken += fresh
                deadline = time.monotonic() + lasts + PATIENCE
                continue
            yield {}
            _check_fault(player)
            if time.monotonic() > deadline:
                raise InstrumentError(
                    f"The counter has been silent for {lasts + PATIENCE:.0f} s after {taken} of {len(part)} points.",
                    "Check its connection and its trigger from the player.",
                )
        while real and _still_plays(player, until):
            # The simulated counter has seen it all at once; what can be seen on the cables is played in full.
            yield {}
            _check_fault(player)
            time.sleep(POLL)
    except BaseException:
        # What ended it matters more; whether it is safe is seen to by make_safe.
        with contextlib.suppress(InstrumentError):
            player.stop()
        raise
    player.stop()


def _still_plays(player: PulsePlayer, until: float) -> bool:
    return player.playing() if isinstance(player, SelfPacedPlayer) else time.monotonic() < until


def _check_fault(player: PulsePlayer) -> None:
    if isinstance(player, SelfPacedPlayer) and (fault := player.fault()) is not None:
        raise fault


def _block(bench: Bench, part: Timeline, seen: Any, keys: list[str], rows: slice) -> Block:
    count = rows.stop - rows.start
    block: dict[str, NDArray[Any]] = {name: values[rows] for name, values in part.points.items()}
    block.update({key: np.asarray(seen[key]) for key in keys})
    block.update({name: np.asarray(seen[name]) for name in seen if name.endswith(SUFFIX)})
    block["shots"] = np.full(count, part.shots)
    block["time"] = np.asarray(seen["time"]) if "time" in seen else np.full(count, bench.now())
    block["valid"] = np.ones(count, dtype=np.int8)
    return block


def check_limits(bench: Bench, timeline: Timeline) -> None:
    """Raise LimitError where a setpoint is outside a limit at any point of the sweep, naming the point."""
    for setpoint, values in timeline.setpoints.items():
        instrument, knob = _knob(bench, setpoint)
        check_sweep(instrument, knob, values + bench.shifts.get(setpoint, 0.0))


def _set(bench: Bench, timeline: Timeline) -> list[str]:
    """Set what stays and load what steps by itself; return the setpoints that must be stepped between plays."""
    stepped: list[str] = []
    for setpoint, planned in timeline.setpoints.items():
        instrument, knob = _knob(bench, setpoint)
        values = planned + bench.shifts.get(setpoint, 0.0)
        if np.ptp(values) == 0:
            setattr(instrument, knob, _as_kind(instrument, knob, float(values[0])))
        elif _steps_itself(instrument, knob):
            _load(instrument, knob, values)
        else:
            stepped.append(setpoint)
    return stepped


def _steps_itself(instrument: Instrument, knob: str) -> bool:
    """Return whether a device may step a knob by itself: not where a ramp, a rate or a readback is asked for."""
    quantity = instrument.knobs()[knob]
    guarded = quantity.ramp or quantity.tolerance is not None or instrument.largest_rate(knob) is not None
    return isinstance(instrument, ListMode) and quantity.kind is not bool and not guarded


def _load(instrument: Instrument, knob: str, values: NDArray[Any]) -> None:
    check_sweep(instrument, knob, values)
    if isinstance(instrument, ListMode):
        instrument.load_list(knob, values)


def _parts(bench: Bench, timeline: Timeline, stepped: list[str]) -> Iterator[Timeline]:
    """Yield the timeline whole, or in parts between which knobs are stepped."""
    if not stepped:
        yield timeline
        return
    # What steps by itself within a part gets the values of that part alone.
    listed = [n for n, v in timeline.setpoints.items() if np.ptp(v) > 0 and n not in stepped]
    together = np.column_stack([timeline.setpoints[name] for name in stepped])
    edges = np.flatnonzero(np.any(np.diff(together, axis=0) != 0, axis=1)) + 1
    for start, stop in zip([0, *edges], [*edges, len(timeline)], strict=True):
        for name in stepped:
            instrument, knob = _knob(bench, name)
            value = float(timeline.setpoints[name][start]) + bench.shifts.get(name, 0.0)
            setattr(instrument, knob, _as_kind(instrument, knob, value))
        part = timeline.take(slice(int(start), int(stop)))
        for name in listed:
            instrument, knob = _knob(bench, name)
            _load(instrument, knob, part.setpoints[name] + bench.shifts.get(name, 0.0))
        yield part


def _knob(bench: Bench, setpoint: str) -> tuple[Instrument, str]:
    role, _, knob = setpoint.partition(".")
    instrument = bench.role(role)
    if instrument is None or knob not in instrument.knobs():
        raise UsageError(f"The bench has no {setpoint!r} to set.", f"Add the role {role!r} to the bench.")
    return instrument, knob


def _as_kind(instrument: Instrument, knob: str, value: float) -> float | bool:
    kind = instrument.knobs()[knob].kind
    return bool(value) if kind is bool else value

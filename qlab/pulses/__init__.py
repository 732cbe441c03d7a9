"""What to play: typed operations, sequences, programs, and timelines in integer picoseconds."""

from qlab.expression import Expression, Number, Symbol
from qlab.pulses.operations import (
    Acquire,
    Align,
    Delay,
    Gate,
    Operation,
    Play,
    Repeat,
    Sequence,
    SetFrequency,
    ShiftPhase,
)
from qlab.pulses.program import Program
from qlab.pulses.timeline import Event, Timeline, compile_program

__all__ = [
    "Acquire",
    "Align",
    "Delay",
    "Event",
    "Expression",
    "Gate",
    "Number",
    "Operation",
    "Play",
    "Program",
    "Repeat",
    "Sequence",
    "SetFrequency",
    "ShiftPhase",
    "Symbol",
    "Timeline",
    "compile_program",
]

"""An NV laboratory behind sockets: a Pulse Streamer, an SG384, a laser controller and a counter share one NV centre.

What arrives on the wire is all that the sample knows: edges as they were streamed, the frequency and the power of the
source, the current of the laser diode. Counts come back through the counter's memory, gate by gate.
"""

import contextlib

import numpy as np

from qlab.pulses import Event, Timeline
from qlab.pulses.edges import intervals
from qlab_instruments.dialogues.counter import GatedCounterDevice
from qlab_instruments.dialogues.device import SimulatedDevice
from qlab_instruments.dialogues.pulse_streamer import SimulatedStreamer
from qlab_instruments.dialogues.server import Served
from qlab_instruments.worlds.nv import NVWorld

LASER, MW, COUNTER = 0, 1, 2
THRESHOLD, SLOPE = 0.03, 0.01  # A, W/A at the sample

BENCH = """
title = "NV laboratory"
platform = "solid-state spins"
[instruments.player]
driver = "swabian.pulse_streamer"
[instruments.player.options]
address = "127.0.0.1"
ports = [{ports[0]}, {ports[1]}]
rabi = 0.2e6
channels = {{laser = 0, mw = 1, counter = 2}}
[instruments.source]
driver = "srs.sg380"
options = {{address = "{source}"}}
start = {{power = -13.98}}          # 0.2 MHz of Rabi frequency
safe = {{power = -60}}
[instruments.laser]
driver = "thorlabs.itc4000"
options = {{address = "{laser}", threshold = 0.03, slope = 0.01}}
[instruments.counter]
driver = "keysight.53230a"
options = {{address = "{counter}"}}
[roles]
player = "player"
microwave = "source"
laser = "laser"
counter = "counter"
"""


class Lab:
    """The laboratory, as long as the `with` lasts; `bench` is its bench file."""

    def __init__(self, seed=1, **truth):
        self.world = NVWorld(truth)
        self.world.begin(seed, None)
        self.source = SimulatedDevice.read("srs.sg380")
        self.laser = SimulatedDevice.read("thorlabs.itc4000")
        self.counter = GatedCounterDevice()
        self.streamer = SimulatedStreamer(self.play)
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        served = [
            self._stack.enter_context(Served(d)) for d in (self.source, self.laser, self.counter.device)
        ]
        self.ports = [s.port for s in served]
        self.addresses = [s.address for s in served]
        self._stack.enter_context(self.streamer)
        self.bench = BENCH.format(
            ports=self.streamer.ports,
            source=served[0].address,
            laser=served[1].address,
            counter=served[2].address,
        )
        return self

    def __exit__(self, *error):
        self._stack.close()

    def play(self, pattern, runs):
        """Let the sample see what the streamer's lines do, and the counter what the sample sends."""
        states = self.source.states
        current = self.laser.states["current"].value
        lines = self.world.lines
        lines["microwave.frequency"] = states["frequency"].value
        lines["microwave.power"] = states["power"].value
        lines["microwave.on"] = float(states["on"].value)
        lines["laser.on"] = float(self.laser.states["on"].value)
        lines["laser.power"] = max(0.0, (current - THRESHOLD) * SLOPE)
        self.world.timeline = seen(pattern, runs, self.world.hidden.rabi_at_0dbm)
        rows = self.world.take(single=True)
        self.counter.gate(rows["counts_shots"][0].tolist())


def seen(pattern, runs, rabi):
    """Return the timeline that the lines of a pattern make at the sample."""
    events = []
    kinds = {LASER: ("gate", "laser"), MW: ("play", "mw"), COUNTER: ("acquire", "counter")}
    for line, (kind, channel) in kinds.items():
        for start, stop in intervals(pattern, line):
            value = np.array([rabi if kind == "play" else 0.0])
            key = "counts" if kind == "acquire" else ""
            times = np.array([start]), np.array([stop - start])
            events.append(Event(kind, channel, *times, value, np.zeros(1), np.zeros(1), key=key))
    return Timeline(tuple(events), {}, {}, np.array([int(pattern.durations.sum())]), runs)

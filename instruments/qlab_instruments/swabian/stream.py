"""The Pulse Streamer's own language: commands as JSON over HTTP, sequences as bytes over a socket."""

import http.client
import itertools
import json
import socket
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.errors import InstrumentError

COMMANDS, SEQUENCES = 8050, 21328  # ports
MAGIC = 0x53504953
HEAD = struct.Struct("<4I2Q")  # magic, id, command, 0, bytes that follow, 0
RUN = struct.Struct("<qQ2h4BQ")  # runs, steps, analogue 0 and 1 and lines when done, 3 zeros, slot
STEP = np.dtype([("ns", "<u4"), ("lines", "<u1"), ("a0", "<i2"), ("a1", "<i2")])


class Streamer:
    """A connection to a Pulse Streamer 8/2 with firmware 2."""

    def __init__(self, host: str, timeout: float, ports: tuple[int, int] = (COMMANDS, SEQUENCES)) -> None:
        self._commands = http.client.HTTPConnection(host, ports[0], timeout=timeout)
        self._sequences = socket.create_connection((host, ports[1]), timeout=timeout)
        self._sequences.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._numbers = itertools.count(1)

    def ask(self, method: str, *parameters: Any) -> Any:
        """Call a method of the device; raise InstrumentError for what it does not do."""
        asked = {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": list(parameters)}
        self._commands.request("POST", "/json-rpc", json.dumps(asked), {"Content-Type": "application/json"})
        reply = self._commands.getresponse().read()
        try:
            said = json.loads(reply)
        except ValueError:
            raise InstrumentError(
                f"The Pulse Streamer answered {reply[:40]!r} to {method}.", "Check its address."
            ) from None
        if said.get("error"):
            raise InstrumentError(
                f"The Pulse Streamer refused {method}: {said['error']}.", "Check its firmware."
            )
        return said.get("result")

    def stream(self, nanoseconds: NDArray[np.int64], lines: NDArray[np.uint32], runs: int) -> None:
        """Send a sequence that is to be played `runs` times, all lines low when done."""
        steps = np.zeros(len(nanoseconds), dtype=STEP)
        steps["ns"], steps["lines"] = nanoseconds, lines
        data = steps.tobytes()
        pad = 32 - len(data) % 32
        number = next(self._numbers)
        head = HEAD.pack(MAGIC, number, 0, 0, RUN.size + len(data) + pad, 0)
        self._sequences.sendall(head + RUN.pack(runs, len(steps), 0, 0, 0, 0, 0, 0, 0) + data + bytes(pad))
        _, answered, error, *_ = HEAD.unpack(self._receive(HEAD.size))
        if answered != number or error:
            raise InstrumentError(
                f"The Pulse Streamer refused a sequence (error {error:#x}).", "Check its length."
            )

    def _receive(self, count: int) -> bytes:
        came = b""
        while len(came) < count:
            part = self._sequences.recv(count - len(came))
            if not part:
                raise ConnectionResetError("the Pulse Streamer closed the connection")
            came += part
        return came

    def close(self) -> None:
        """Let go of it."""
        self._commands.close()
        self._sequences.close()

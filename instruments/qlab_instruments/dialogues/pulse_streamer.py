"""A simulated Pulse Streamer: its two ports, decoding what it is sent back to edges."""

import contextlib
import json
import socket
import socketserver
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import numpy as np

from qlab.pulses.edges import Pattern
from qlab_instruments.swabian.stream import HEAD, MAGIC, RUN, STEP


class SimulatedStreamer:
    """Answers on two ports of this machine as long as the `with` lasts.

    `on_play(pattern, runs)` hears of each sequence; until it returns, the device is not ready with it.
    """

    def __init__(self, on_play: Callable[[Pattern, int], None] | None = None) -> None:
        self.on_play = on_play
        self.played: list[tuple[Pattern, int]] = []
        self.asked: list[str] = []
        self.error = 0
        self._finished = True
        device = self

        class Commands(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Small answers in two packets would wait for each other.
            wbufsize = -1
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                reply = json.dumps(
                    {"jsonrpc": "2.0", "id": body["id"], **device.answer(body["method"])}
                ).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)
                self.wfile.flush()

            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                """Say nothing."""

        class Sequences(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                device.take(self.request)

        self._servers: tuple[Any, Any] = (
            ThreadingHTTPServer(("127.0.0.1", 0), Commands),
            socketserver.ThreadingTCPServer(("127.0.0.1", 0), Sequences),
        )
        for server in self._servers:
            server.daemon_threads = True
            server.block_on_close = False
        self.ports: tuple[int, int] = (self._servers[0].server_address[1], self._servers[1].server_address[1])

    def __enter__(self) -> Self:
        for server in self._servers:
            threading.Thread(
                target=server.serve_forever, args=(0.02,), daemon=True, name="simulated streamer"
            ).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def answer(self, method: str) -> dict[str, Any]:
        """Return the answer to a command."""
        self.asked.append(method)
        known = {"getSerial": "00:26:32:F0:11:22", "getFirmwareVersion": "2.0.3", "constant": 0, "reset": 0}
        if method == "hasFinished":
            return {"result": self._finished}
        return (
            {"result": known[method]} if method in known else {"error": {"code": -32601, "message": method}}
        )

    def take(self, connection: socket.socket) -> None:
        """Take sequences from one client until it leaves."""
        with contextlib.suppress(OSError, EOFError):
            while True:
                magic, number, command, _, size, _ = HEAD.unpack(_all(connection, HEAD.size))
                body = _all(connection, size)
                runs, count, *_ = RUN.unpack(body[: RUN.size])
                steps = np.frombuffer(body, STEP, count, RUN.size)
                good = magic == MAGIC and command == 0 and not self.error
                self._finished = False
                connection.sendall(HEAD.pack(MAGIC, number, self.error or int(not good), 0, 0, 0))
                if good:
                    pattern = Pattern(steps["ns"].astype(np.int64) * 1000, steps["lines"].astype(np.uint32))
                    self.played.append((pattern, int(runs)))
                    if self.on_play is not None:
                        self.on_play(pattern, int(runs))
                self._finished = True


def _all(connection: socket.socket, count: int) -> bytes:
    came = b""
    while len(came) < count:
        part = connection.recv(count - len(came))
        if not part:
            raise EOFError
        came += part
    return came

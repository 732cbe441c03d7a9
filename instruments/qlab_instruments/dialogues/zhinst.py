"""A simulated package in place of zhinst.core: a data server with one device and its nodes."""

from typing import Any


class Package:
    """The package."""

    def __init__(self, options: str = "F5M") -> None:
        self.server = Server(options)

    def ziDAQServer(self, host: str, port: int, level: int) -> "Server":
        """Connect to a data server."""
        if (port, level) != (8004, 6):
            raise RuntimeError(f"Connection refused: {host}:{port}")
        return self.server


class Server:
    """A data server that knows dev4321; `options` are those of the device. Its output is clamped to its range."""

    def __init__(self, options: str = "F5M") -> None:
        mixer = 0 if "MD" in options.split() else 1
        self.nodes: dict[str, Any] = {
            "/zi/devices/connected": "",
            "/dev4321/features/options": "\n".join(options.split()),
            "/dev4321/demods/0/enable": 0,
            f"/dev4321/sigouts/0/enables/{mixer}": 0,
            "/dev4321/sigouts/0/range": 10.0,
            "/dev4321/features/devtype": "MFLI",
            "/dev4321/features/serial": "4321",
            "/dev4321/oscs/0/freq": 1000.0,
            "/dev4321/demods/0/timeconstant": 0.01,
            f"/dev4321/sigouts/0/amplitudes/{mixer}": 0.0,
            "/dev4321/sigouts/0/offset": 0.0,
            "/dev4321/sigouts/0/on": 0,
        }

    def connectDevice(self, device: str, interface: str) -> None:
        """Take a device in."""
        if (device, interface) != ("dev4321", "1GbE"):
            raise RuntimeError(f"ZIAPINotFoundException: {device}")
        self.nodes["/zi/devices/connected"] = "DEV4321"

    def _known(self, node: str) -> str:
        if not node.startswith("/zi/") and not self.nodes["/zi/devices/connected"]:
            raise RuntimeError(f"device not connected: {node}")
        if node not in self.nodes:
            raise RuntimeError(f"ZIAPINotFoundException: {node}")
        return node

    def getString(self, node: str) -> str:
        """Read a text."""
        return str(self.nodes[self._known(node)])

    def getDouble(self, node: str) -> float:
        """Read a number."""
        return float(self.nodes[self._known(node)])

    def getInt(self, node: str) -> int:
        """Read a whole number."""
        return int(self.nodes[self._known(node)])

    def setDouble(self, node: str, value: float) -> None:
        """Set a number."""
        most = self.nodes["/dev4321/sigouts/0/range"] if "amplitudes" in node else value
        self.nodes[self._known(node)] = min(value, most)

    def setInt(self, node: str, value: int) -> None:
        """Set a whole number."""
        self.nodes[self._known(node)] = value

    def getSample(self, node: str) -> dict[str, list[float]]:
        """Read a demodulator."""
        if node != "/dev4321/demods/0/sample":
            raise RuntimeError(f"ZIAPINotFoundException: {node}")
        if not self.nodes["/dev4321/demods/0/enable"]:
            raise RuntimeError(f"ZIAPITimeoutException: {node}")
        return {"x": [1.2e-5], "y": [-3e-7]}

    def sync(self) -> None:
        """Wait for the device."""

    def disconnect(self) -> None:
        """Let go."""

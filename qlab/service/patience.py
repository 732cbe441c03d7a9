"""How long something has kept its thread waiting, for another thread to see."""

import time
from types import TracebackType


class Patience:
    """`with patience:` around what may hang; `patience.seconds` is 0 outside. One thread enters, any may look."""

    def __init__(self) -> None:
        self._since: float | None = None

    @property
    def seconds(self) -> float:
        """How long what is under way has lasted (s)."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since

    def __enter__(self) -> None:
        """Begin to wait."""
        self._since = time.monotonic()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """It came to its end."""
        self._since = None

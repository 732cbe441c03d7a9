"""A worker thread for one driver that has no deadlines of its own."""

import queue
import threading
from collections.abc import Callable
from typing import Any


class _Task:
    def __init__(self, what: Callable[[], Any]) -> None:
        self.what = what
        self.done = threading.Event()
        self.result: Any = None
        self.error: BaseException | None = None


class Worker:
    """Calls one thing after the other in a thread of its own; a call that takes too long is left behind with it."""

    def __init__(self, name: str) -> None:
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self.stuck = False
        self._thread = threading.Thread(target=self._work, daemon=True, name=f"driver of {name}")
        self._thread.start()

    def call(self, what: Callable[[], Any], timeout: float) -> Any:
        """Return what a call returns, or raise what it raises; TimeoutError after `timeout` s."""
        if self.stuck:
            raise TimeoutError("the driver still hangs in an earlier call")
        task = _Task(what)
        self._tasks.put(task)
        if not task.done.wait(timeout):
            self.stuck = True
            raise TimeoutError(f"the driver did not come back within {timeout:g} s")
        if task.error is not None:
            raise task.error
        return task.result

    def end(self) -> None:
        """Let the thread end after what it does now."""
        self._tasks.put(None)
        if not self.stuck:
            self._thread.join(2)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                task.result = task.what()
            except BaseException as error:  # noqa: BLE001 - handed to whoever asked
                task.error = error
            task.done.set()

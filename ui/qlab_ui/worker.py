"""The worker process: one at a time, its answers brought back by the timer that draws."""

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Protocol

from qlab.errors import QlabError

Done = Callable[[Any], object]
Failed = Callable[[QlabError], object]


class Worker(Protocol):
    """Runs functions of `qlab_ui.work` away from the window."""

    def ask(self, done: Done, failed: Failed, function: Callable[..., Any], *arguments: Any) -> None:
        """Run a function; `done` or `failed` is called by a later `poll`."""
        ...

    def poll(self) -> None:
        """Hand over what has been answered, without waiting."""
        ...

    def close(self) -> None:
        """Let go of the process."""
        ...


class ProcessWorker:
    """A pool of one spawned process, started with the first question and again after it died."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._asked: list[tuple[Future[Any], Done, Failed]] = []

    def ask(self, done: Done, failed: Failed, function: Callable[..., Any], *arguments: Any) -> None:
        """Run a function in the worker process."""
        try:
            future = self._process().submit(function, *arguments)
        except (BrokenProcessPool, RuntimeError):
            self._pool = None
            future = self._process().submit(function, *arguments)
        self._asked.append((future, done, failed))

    def poll(self) -> None:
        """Hand over what has been answered."""
        ready = [item for item in self._asked if item[0].done()]
        if not ready:
            return
        self._asked = [item for item in self._asked if item not in ready]
        for future, done, failed in ready:
            if future.cancelled():
                continue
            error = future.exception()
            if error is None:
                done(future.result())
            elif isinstance(error, QlabError):
                failed(error)
            else:
                failed(
                    QlabError(f"A fit or a reading failed: {type(error).__name__}: {error}", "See the log.")
                )

    def close(self) -> None:
        """Let go of the process; what has not begun is dropped."""
        self._asked = []
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def _process(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=_follow_parent)
        return self._pool


def _follow_parent() -> None:
    """Give way to the window and the bench, and end where the window has died: questions would never come."""
    if hasattr(os, "nice"):
        os.nice(5)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(0)

    threading.Thread(target=follow, daemon=True, name="qlab parent").start()

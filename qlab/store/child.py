"""Work on files that may be damaged or hostile, done in a child process: a crash or hang stays there."""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from qlab.errors import FileError

_MEMORY = 8 << 30
Task = str  # "inspect", "recover", "check"


def ask(task: Task, path: Path, seconds: float) -> Any:
    """Do one task on one file in a child process and return its answer.

    Raises FileError with the child's reason, or where it died or took longer than `seconds`.
    """
    for _, answer in ask_all(task, [path], seconds):
        if isinstance(answer, FileError):
            raise answer
        return answer
    raise FileError(f"{path.name} could not be looked at.", "Try again.")


def ask_all(task: Task, paths: Sequence[Path], seconds: float) -> Iterator[tuple[Path, Any]]:
    """Do a task on many files, in one child as long as it lives; yield (path, answer or FileError).

    `seconds` is what each file may take.
    """
    left = list(paths)
    while left:
        death = "the reading process died of it"
        with _child(task, left, seconds) as answers:
            while left:
                try:
                    text = answers.get(timeout=seconds)
                except queue.Empty:
                    death = f"nothing came of it within {seconds:.0f} s"
                    break
                if text is None:
                    break
                yield left.pop(0), _answer(text)
        if left:
            path = left.pop(0)
            yield path, FileError(f"{path.name} cannot be read: {death}.", "The file is damaged.")


@contextmanager
def _child(task: Task, paths: Sequence[Path], seconds: float) -> Iterator["queue.Queue[bytes | None]"]:
    """Start a child on some files; its answers come through the queue, None where it ended."""
    # HDF5 must look for no plug-ins (native code) that a file may ask for; ours must find this same qlab.
    path = os.pathsep.join(item for item in sys.path if item)
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore", "HDF5_PLUGIN_PRELOAD": "::"}
    environment.pop("HDF5_PLUGIN_PATH", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "qlab.store.child", task, str(int(seconds * min(len(paths), 100)) + 5)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
    )  # fmt: skip
    answers: queue.Queue[bytes | None] = queue.Queue()
    reading = threading.Thread(target=_read, args=(process.stdout, answers), daemon=True)
    reading.start()
    try:
        with process:
            try:
                given = "".join(json.dumps(str(path.absolute())) + "\n" for path in paths)
                process.stdin.write(given.encode())  # type: ignore[union-attr]
                process.stdin.close()  # type: ignore[union-attr]
                yield answers
            finally:
                process.kill()
                reading.join()
    except BrokenPipeError:
        answers.put(None)


def _read(stream: IO[bytes], answers: "queue.Queue[bytes | None]") -> None:
    for text in stream:
        answers.put(text)
    answers.put(None)


def _answer(text: bytes) -> Any:
    try:
        answer = json.loads(text)
    except ValueError:
        return FileError("The reading process was cut short.", "Try again.")
    if isinstance(answer, dict) and "refused" in answer:
        return FileError(str(answer["refused"]), str(answer["hint"]))
    return answer


def _limit(seconds: int) -> None:
    try:
        import resource
    except ImportError:  # Windows: the time limit of the parent must do
        return
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(arguments: Sequence[str]) -> None:
    """Answer one JSON line on standard output for each path (a JSON text a line) on standard input."""
    from qlab.errors import QlabError
    from qlab.store.tasks import TASKS

    task = TASKS[arguments[0]]
    _limit(int(arguments[1]))
    for text in sys.stdin.read().splitlines():
        path = Path(json.loads(text))
        try:
            answer = task(path)
        except QlabError as error:
            answer = {"refused": error.message, "hint": error.hint}
        except Exception as error:  # noqa: BLE001 - a damaged file may make h5py raise anything
            why = (str(error).splitlines() or [""])[0][:200]
            answer = {"refused": f"{path.name} cannot be read: {why or type(error).__name__}.",
                      "hint": "The file is damaged or cut short."}  # fmt: skip
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])

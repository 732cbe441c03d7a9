"""Looks at run files as qlab itself does, under a limit of memory; says how each ended. Run by test_mutants.py."""

import contextlib
import io
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np


def look(path, folder):
    """Return "refused", or "shown" after everything in the file was shown; any other exception is a finding."""
    from qlab.cli.show import describe, print_fit, summary
    from qlab.errors import QlabError
    from qlab.export.make import make
    from qlab.metrology.curves import Curve
    from qlab.store import open_run
    from qlab.store.overview import read_overview
    from qlab.store.tasks import TASKS
    from qlab.store.trust import trust

    tried = 0

    def attempt(action):
        nonlocal tried
        with contextlib.suppress(QlabError):
            action()
            tried += 1

    for task in ("summary", "check", "foreign"):
        try:
            json.dumps(TASKS[task](path))
        except QlabError:
            pass
        except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
            # The reading process turns these into a refusal, but it should know why.
            yield f"{task}: {type(error).__name__}: {error}"
    try:
        TASKS["inspect"](path)
    except QlabError:
        yield "refused"
        return
    trust(path)  # the inspection has just been done here
    run = open_run(path)
    for column in run.record.columns:
        attempt(lambda c=column: np.asarray(run[c.name]))
    for signal in run.record.signals:
        attempt(lambda s=signal: run.grid(s.name))
    for stream in run.record.streams:
        for column in stream.columns:
            attempt(lambda s=stream, c=column: run.streams[s.name].column(c.name))
    for fit in run.record.fits:
        attempt(lambda f=fit: print_fit(f))
    for curve in run.record.curves:
        attempt(lambda c=curve: Curve.of(c))
    attempt(lambda: read_overview(path, "counts"))
    attempt(lambda: describe(run))
    attempt(lambda: json.dumps(summary(run, [])))
    attempt(run.to_xarray)
    for exporter, name in (("csv", "x.csv"), ("datacite", "x.json")):
        attempt(lambda e=exporter, n=name: make(path, folder / n, e))
    yield f"shown {tried}"


def main():
    resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
    folder = Path(sys.argv[1])
    folder.mkdir()
    for text in sys.stdin.read().splitlines():
        path, begun = Path(text), time.monotonic()
        outcome = []
        sys.stdout.write(f"{path}\t")  # so that whoever dies of it is known
        sys.stdout.flush()
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                outcome += look(path, folder)
            except Exception as error:
                import traceback

                last = traceback.extract_tb(error.__traceback__)[-1]
                ours = [f for f in traceback.extract_tb(error.__traceback__) if "/qlab/" in f.filename][-1:]
                at = " ".join(f"{Path(f.filename).name}:{f.lineno}" for f in (*ours, last))
                outcome.append(f"FOUND {type(error).__name__}: {str(error)[:150]} at {at}")
        for left in folder.iterdir():
            if left.is_file():
                left.unlink()
        taken = time.monotonic() - begun
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        sys.stdout.write(json.dumps([outcome, taken, memory]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

"""The end of a run: how it ended, its fit and its figures of merit."""

from typing import Any

from qlab.control import Ask, Control
from qlab.design import kept_curves
from qlab.errors import QlabError
from qlab.experiment import Experiment
from qlab.grid import Rows
from qlab.record import FitResult, Record, State
from qlab.running.ledger import Ledger
from qlab.runs import Run


def verdict(failure: BaseException | None, control: Control) -> tuple[State, str]:
    """Return the state in which a run ends, and why."""
    if control.ending is Ask.HALT:
        return "stopped", control.reason
    if isinstance(failure, QlabError):
        return "failed", str(failure)
    if failure is not None:
        return "failed", f"{type(failure).__name__}: {failure}"
    if control.ending is not Ask.NOTHING:
        return "stopped", control.reason
    return "finished", ""


def analyse(record: Record, rows: Rows, experiment: Experiment[Any], ledger: Ledger) -> Record:
    """Return the record with fit, figures and curves; what fails is noted, never a reason to lose a run."""
    run = Run(record, rows)
    fit: FitResult | None = None
    try:
        if record.fit:
            fit = run.fit()
            record = record.model_copy(update={"fits": (fit,)})
        record = record.model_copy(update={"figures": experiment.analyse(run, fit)})
        for made in (experiment.curves, kept_curves):
            curves = (*record.curves, *(curve.stored() for curve in made(run)))
            record = record.model_copy(update={"curves": curves})
    except Exception as error:  # noqa: BLE001 - the analysis of a stranger's experiment must not lose the run
        ledger.log("warning", f"The analysis failed: {type(error).__name__}: {error}")
    return record

"""FAIR: the vocabularies of the profile "FAIR, quantum technologies pillar", what is missing, and the report."""

from qlab.fair.complete import Item, completion
from qlab.fair.report import FairReport, Metric, report
from qlab.fair.vocabulary import described, faults

__all__ = ["FairReport", "Item", "Metric", "completion", "described", "faults", "report"]

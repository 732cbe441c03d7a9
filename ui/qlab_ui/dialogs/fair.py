"""The FAIR report of a run as a page: each metric, whether the file meets it, and what to do."""

from typing import Any

from PySide6.QtWidgets import QHeaderView, QLabel, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from qlab_ui import icons, theme
from qlab_ui.dialogs.pages import Page
from qlab_ui.roomy import make_wrapping

_MARKS = {"met": ("done", "met"), "missed": ("warning", "missed"), "repository": ("info", "by a repository")}


class FairPage(Page):
    """Metrics with marks (see `qlab.fair.report`); those that were missed stand first."""

    def __init__(self, parent: QWidget, title: str, report: Any) -> None:
        body = QWidget()
        super().__init__(parent, f"FAIR report of {title}", body, "fair")
        words = QLabel(
            f"This file meets {report.met} of the {report.possible} metrics that a file can meet. "
            "The others are met by the repository that publishes it.",
            body,
        )
        words.setWordWrap(True)
        words.setForegroundRole(theme.MUTED)
        tree = QTreeWidget(body)
        tree.setObjectName("metrics")
        tree.setAccessibleName("Metrics")
        tree.setRootIsDecorated(False)
        tree.setAlternatingRowColors(True)
        make_wrapping(tree)
        tree.setHeaderLabels(["Metric", "", "What it asks", "Found, or what to do"])
        for metric in sorted(
            report.metrics, key=lambda m: list(_MARKS).index(m.verdict) if m.verdict != "missed" else -1
        ):
            icon, verdict = _MARKS[metric.verdict]
            item = QTreeWidgetItem([metric.id, verdict, metric.text, metric.found or metric.what_to_do])
            item.setIcon(1, icons.icon(icon))
            for column in range(4):
                item.setToolTip(
                    column, "\n".join(w for w in (metric.text, metric.found, metric.what_to_do) if w)
                )
            tree.addTopLevelItem(item)
        for problem in report.problems:
            tree.addTopLevelItem(QTreeWidgetItem(["layout", "problem", problem, ""]))
        header = tree.header()
        for column, mode in enumerate(("ResizeToContents", "ResizeToContents", "Stretch", "Stretch")):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode[mode])
        column_box = QVBoxLayout(body)
        column_box.setContentsMargins(0, 0, 0, 0)
        column_box.addWidget(words)
        column_box.addWidget(tree, 1)

"""Plots of runs, live or reopened. The only place where pyqtgraph is imported."""

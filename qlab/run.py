"""Gone: use qlab.record, qlab.grid, qlab.runs."""

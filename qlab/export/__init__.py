"""Exporters: a run as something that another program reads. Each is `export(run, path) -> path`, one file each."""

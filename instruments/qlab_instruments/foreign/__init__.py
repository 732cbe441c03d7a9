"""Other people's drivers: QCoDeS's and PyMeasure's, used as ours."""

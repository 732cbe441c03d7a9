"""Systems: the model cards as pure functions."""

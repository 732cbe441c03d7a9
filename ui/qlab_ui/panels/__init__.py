"""The panels around the plot: experiments, runs, result, log, record."""

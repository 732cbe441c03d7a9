"""The queue as pure data and rules: what waits, what is next and why not, when it will be, and what a study plays."""

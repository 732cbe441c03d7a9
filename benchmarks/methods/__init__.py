"""The methods of the engine, each timed beside what others offer, with every error against one tight reference."""

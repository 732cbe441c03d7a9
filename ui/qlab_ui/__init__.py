"""The window of qlab: speaks to a session, reads live tables and run files, runs no physics itself."""

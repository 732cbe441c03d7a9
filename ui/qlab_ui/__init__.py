"""The window of qlab: it speaks to a session and reads live tables and run files, and runs no physics itself."""

"""The command line: a door above the flows."""

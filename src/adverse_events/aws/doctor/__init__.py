"""Asking, before a run, for everything it will need."""

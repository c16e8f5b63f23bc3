"""What people read: the facts of a stretch of the lake, a page about them, and a run's summary."""

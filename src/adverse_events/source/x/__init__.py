"""X API v2: the client, and what is read through it."""

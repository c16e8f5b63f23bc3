"""Hosting a model: the archive that a service is given."""

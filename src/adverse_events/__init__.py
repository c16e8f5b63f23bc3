"""Find, code and count adverse drug events in social media posts.

This package holds what is true without an orchestrator: it imports no Prefect, reads no
environment variable at import and opens no client at module level. ``flows`` and ``tasks``
stand above it, the command line ``ade`` above those.
"""

from importlib.metadata import version

__version__ = version("adverse-events")

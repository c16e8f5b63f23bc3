"""Labelled texts: read, cleaned of overlaps, split by document, and frozen to a manifest. Needs the ``train`` extra."""

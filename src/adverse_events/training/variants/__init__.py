"""Labelled training texts written by this project."""

from adverse_events.training.variants.generate import Variant, generate

__all__ = ["Variant", "generate"]

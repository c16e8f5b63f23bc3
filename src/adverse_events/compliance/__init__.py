"""Compliance: what people delete disappears from the lake, and never comes back."""

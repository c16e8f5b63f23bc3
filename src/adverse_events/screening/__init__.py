"""Screening: which posts are worth scoring, and why the others are not."""

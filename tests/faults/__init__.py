"""Kills under load: what was acknowledged is in the books exactly once."""

"""Processes and wiring: the only place that knows everyone."""

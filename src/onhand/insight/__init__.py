"""Dashboards: what the business looks like right now, read from what the other packages wrote."""

"""Who may do what where: permissions, roles, callers, credentials and refusals. Pure; no clock, network or database."""

"""Tools without domain words: database, outbox, jobs, files, mail, refusals, paging, settings, telemetry."""

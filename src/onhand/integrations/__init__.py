"""The outside world, calling down: imports, replays, the demo, and later channels, carriers and books."""

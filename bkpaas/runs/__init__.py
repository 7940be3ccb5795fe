"""Compare a run with a baseline snapshot and with earlier runs."""

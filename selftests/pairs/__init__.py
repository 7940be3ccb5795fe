"""Generated pairs of recorded faults: both must be named."""

"""Read-only acceptance checks for BlueKing PaaS deployments."""

__version__ = "0.1.0"

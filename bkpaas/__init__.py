"""Read-only acceptance checks for BlueKing PaaS deployments."""

__version__ = "0.2.0"

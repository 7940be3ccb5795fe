"""Stand-ins for the four web services of open_paas: real WSGI programs that answer as CE 3.2.5 does."""

#!/bin/sh
# Start what this host's roles ask for (env ROLES, ADDRESS, LAYOUT_JSON), and return. May be run again.
cd "$(dirname "$(dirname "$(readlink -f "$0")")")" && exec python3 -m lab.start

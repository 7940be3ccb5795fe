"""Miniature BlueKing deployments on one machine, and the faults that break them.

`python -m lab --help` says what it can do. The hosts are made of Linux namespaces inside one user namespace:
real sshd, real disks, their own process tables, firewalls and clocks, and no way from the lab's network to the
machine's or back.
"""

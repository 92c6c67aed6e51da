"""Simulated instances as real hosts: what the world says should run is booted with systemd-nspawn, as root on Linux."""

"""Hosts for Ansible, from a stack's export and the live members of its pools: pure, and free of Ansible."""

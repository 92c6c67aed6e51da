"""Compute Engine: one module for each group of collections."""

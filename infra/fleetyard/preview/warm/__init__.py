"""Modules that read one cloud's SDK when they are imported: for the process that runs are forked from.

The SDKs read their parts when a part is first used, so each part that Fleetyard's components use is touched once. One
that is missing here is read by each run itself.
"""

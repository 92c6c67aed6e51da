"""Stand-ins for vendors' programs on hosts without accelerators. Standard library alone, Python 3.9 or newer.

Every call is recorded; every version line says `stand-in`.
"""

"""The acceptance gate: no node trains before it has shown what was paid for.

A stdlib-only probe runs on the node (`roles/accept`) and keeps what tools print; everything else happens here, on the
controller, as pure functions. `judge.judge(machine, evidence.load(text, path))` gives a node's verdict; `parsers` reads
tools; `facts.toml` holds what the catalogue does not; `bounds` is the physics of collectives.
"""

"""How right and how fast the sizing model is: `python -m bench sizing`; `python -m bench.sizing.fit` calibrates it."""

"""Speed and sturdiness as ratios of one run: `python -m bench`. It judges nothing but what it measures."""

"""The simulated AWS: rules and services of ours in front of moto."""

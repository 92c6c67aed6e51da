"""Fleetyard: stand up accelerator clusters on AWS and GCP."""

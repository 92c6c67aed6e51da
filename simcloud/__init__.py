"""A simulated AWS and GCP behind the real Pulumi engine.

Imports nothing of `fleetyard`: its facts come from moto, botocore, cfn-lint and Google's discovery documents,
so that one wrong fact of ours cannot pass on both sides.
"""

"""The Google Cloud SDK."""

from __future__ import annotations

import pulumi_gcp as sdk

import fleetyard.gcp

TOUCHED = (
    fleetyard.gcp,
    sdk.compute.Network,
    sdk.kms.KeyRing,
    sdk.projects.IAMMember,
    sdk.serviceaccount.Account,
    sdk.storage.Bucket,
    sdk.tpu.V2Vm,
)

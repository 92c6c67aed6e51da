"""What differs from what was deployed: in the cloud by the engine's refresh, on nodes by what their playbook left."""

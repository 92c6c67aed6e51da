"""Does on a standing cluster what an operator would: through Slurm, Ansible and the cloud, each step recorded."""

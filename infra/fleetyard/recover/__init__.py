"""What a killed `pulumi up` left behind: its lock, its torn files, and what it created and did not record.

`backend` reads the folder of a file backend, `owner` proves that a lock's owner is dead, `state` reads and mends the
recorded deployment, `decide` (pure) says what becomes of each find, `aws` and `gcp` list and delete in the clouds.
"""

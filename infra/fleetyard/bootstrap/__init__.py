"""What has to stand before the first `pulumi up`: a place for the state, a key, and identities for people and CI.

`life` walks a stack through its life on the simulated cloud and notes every call; `actions_aws` and `actions_gcp` turn
the calls into rights; `files` writes the project that `infra/bootstrap` builds.
"""

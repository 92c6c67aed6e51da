"""What a change to the project would do to every stack, told before it is merged.

`sides` finds the two versions in git, `worker` runs one stack of one version on the simulated cloud, `run` puts the
runs in order, `change` says what came out as data, `markdown` and `text` write it down.
"""

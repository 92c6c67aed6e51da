"""Puts this folder on the path, so that tests share `resource_graph` and `example_stacks`."""

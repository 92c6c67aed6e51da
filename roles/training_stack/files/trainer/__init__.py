"""A small byte-level transformer, trained data-parallel over all processes, that survives the loss of any of them."""

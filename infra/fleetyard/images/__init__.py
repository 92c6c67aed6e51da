"""Images that are baked once, so that no host of a pool installs what every host has."""

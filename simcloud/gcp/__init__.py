"""The simulated Google Cloud: a world that answers Google's REST APIs, and the Pulumi types in front of it."""

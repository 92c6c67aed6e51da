"""The two Pulumi providers: thin translators between the engine and the simulated clouds."""

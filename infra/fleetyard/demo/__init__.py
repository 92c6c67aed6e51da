"""What the demonstration with hosts is made of."""

"""What surrounds a training job: a sample data set to feed it, and the picture of what it did."""

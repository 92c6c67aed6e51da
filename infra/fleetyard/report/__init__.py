"""What a cluster looks like: a picture and tables, from the plan, the stack's export and the live members."""

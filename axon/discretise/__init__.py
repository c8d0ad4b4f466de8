"""From an axon and what is done to it to the arrays that the engine steps."""

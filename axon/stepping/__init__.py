"""The engine through time: chunks of steps, and what is gathered between them."""

"""Questions that need several simulations, or none: a stimulus, a velocity with its error, steady waves."""

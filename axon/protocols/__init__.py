"""Questions to an axon: velocity, waves, threshold, refractoriness, trains, re-entry, ions and pump."""

"""What the study of refractoriness is made of."""

"""What the study `benchmark` is made of: the simulators behind one face, and four questions."""

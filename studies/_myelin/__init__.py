"""What the studies of myelinated fibres share: the same fibre in NEURON."""

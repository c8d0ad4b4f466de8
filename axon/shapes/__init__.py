"""Shapes that axons have: tapers, beads, forks, cell bodies, stretches made different, morphologies.

Every builder gives what one could have written by hand: sections for ``Axon(sections=[...])``, or an axon.
"""

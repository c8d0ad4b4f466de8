"""The engine: arrays in, arrays out. The only room with Numba in it."""

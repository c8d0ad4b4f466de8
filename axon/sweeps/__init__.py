"""Sweeps: one question, many axons, one file.

A plan says which points, a question what is asked there, an executor who computes, and a sheet keeps the rows
in a file as they come.
"""

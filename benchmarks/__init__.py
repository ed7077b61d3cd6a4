"""Measurements of the project: each module is a program that prints one JSON line a result."""

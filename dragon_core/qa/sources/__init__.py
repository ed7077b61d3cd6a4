"""Readers of question sets, one module a family of file formats."""

"""UMLS: the Metathesaurus in the Rich Release Format (`META/*.RRF`).

Concepts are nodes. What the labels of relations (REL, and the usual RELA) mean stands in `labels.csv`, and how these
relations are worded in `relations.csv`. Other RELA labels name relations as they are written; `MRDOC.RRF` tells which
of them are each other's inverses.
"""

"""ConceptNet: the assertions of version 5, and the graph of version 4.

Both tell their many relations by the 17 of KagNet (Lin et al., EMNLP 2019), which QA-GNN, GreaseLM and DRAGON use:
`relations.csv` names them, `merge.csv` says which of ConceptNet's relations become which of them, head and tail
swapped where it says so, and which are left out.
"""

"""WordNet: found or obtained, read from its dictionary files, and lifted from synsets to lemmas."""

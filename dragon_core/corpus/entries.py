"""Entries of dictionaries and ontologies: how one reads, and in which order they come."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

SENTENCE_ENDS = (".", "!", "?")


def entry_of(names: Sequence[str], definition: str) -> str:
    """A sentence of names and what they mean, such as `dog, domestic dog: a member of the genus Canis.`."""
    return ended(f"{', '.join(names)}: {definition}")


def ended(sentence: str) -> str:
    """The sentence with a full stop, if nothing ends it."""
    return sentence if sentence.endswith(SENTENCE_ENDS) else f"{sentence}."


def in_topical_order(parents: Mapping[str, str | None]) -> Iterator[str]:
    """Each entry once, after its parent and beside its siblings: depth-first, in the order of the mapping.

    Args:
        parents: The parent of each entry, itself an entry; None for a root.
    """
    children: dict[str | None, list[str]] = defaultdict(list)
    for entry, parent in parents.items():
        children[parent].append(entry)
    seen: set[str] = set()
    # Of entries that are each other's parents none is reached from a root; they come last.
    for start in (*children[None], *parents):
        stack = [start]
        while stack:
            entry = stack.pop()
            if entry not in seen:
                seen.add(entry)
                yield entry
                stack.extend(reversed(children[entry]))

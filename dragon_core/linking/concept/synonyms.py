"""Words that stand in each other's place, learned from the synonyms of nodes: `renal` and `kidney`."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import combinations

from dragon_core.linking.concept.names import Names
from dragon_core.linking.concept.words import is_acronym

# Words are alike that do so in at least so many nodes, in so large a share of the nodes of the rarer word, and for one
# pair of names that they tell apart in at least so many that they do not.
MIN_NODES = 2
MIN_SHARE = 0.2
MIN_SAME_TO_DIFFERENT = 4
# Larger groups, such as all names of two words of which one is `disease`, say little.
LARGEST_GROUP = 30


def equivalent_words(names: Names) -> dict[str, str]:
    """The word that each word is like, for stems with one that is more frequent.

    Two names of a node that differ in one word make its two forms alike; two such names of different nodes tell them
    apart, as `acute` and `chronic`.
    """
    by_rest: defaultdict[tuple[str, ...], defaultdict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    nodes_of: defaultdict[str, set[int]] = defaultdict(set)
    exchangeable = {word for word in names.stems if len(word) > 2 and word.isalpha() and not is_acronym(word)}
    ids, bounds = names.tokens.ids.tolist(), names.tokens.offsets.tolist()
    for name, node in enumerate(names.nodes.tolist()):
        words = sorted({names.stems[word] for word in ids[bounds[name] : bounds[name + 1]]} - {""})
        for position, word in enumerate(words):
            nodes_of[word].add(node)
            if word in exchangeable and len(words) > 1:
                by_rest[(*words[:position], *words[position + 1 :])][word].add(node)
    same: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    different: Counter[tuple[str, str]] = Counter()
    for group in by_rest.values():
        if 1 < len(group) <= LARGEST_GROUP:
            for pair in combinations(sorted(group), 2):
                common = group[pair[0]] & group[pair[1]]
                same[pair] |= common
                different[pair] += not common
    frequency = {word: len(nodes) for word, nodes in nodes_of.items()}
    shares = {
        pair: len(nodes) / min(frequency[word] for word in pair)
        for pair, nodes in same.items()
        if len(nodes) >= max(MIN_NODES, MIN_SAME_TO_DIFFERENT * different[pair])
    }
    return _classes((pair for pair, share in sorted(shares.items()) if share >= MIN_SHARE), frequency)


def _classes(pairs: Iterable[tuple[str, str]], frequency: Mapping[str, int]) -> dict[str, str]:
    """Each word of a pair that is not the most frequent of those connected to it, with that one."""
    roots: dict[str, str] = {}

    def root(word: str) -> str:
        while word in roots:
            word = roots[word]
        return word

    for pair in pairs:
        rarer, other = sorted(map(root, pair), key=lambda word: (frequency[word], word))
        if rarer != other:
            roots[rarer] = other
    return {word: root(word) for word in roots}

"""Which spans of texts are mentions where no annotated documents say so: the longest names, with few exceptions."""

import numpy as np

from dragon_core.linking.concept.analysis import Analysis
from dragon_core.linking.concept.lexicon import Lexicon

COORDINATORS = frozenset(("and", "or", "/", "-", ","))


def spans_by_names(analysis: Analysis, lexicon: Lexicon) -> list[tuple[int, int]]:
    """(first token, token after the last) of each mention, in order.

    A name whose last word another name before it shares, as in `breast and ovarian cancer`, is one mention with it.
    """
    tokens = analysis.tokens
    matches = analysis.matches
    general = np.zeros(len(matches), bool)
    for number, table in enumerate(lexicon.tables):
        here = matches.tables == number
        general[here] = table.general[matches.rows[here]]
    # The words of a name may stand in any order, but not in two parts of a sentence.
    is_comma = np.array([word == "," for word in tokens.words], bool)[tokens.ids]
    commas = np.concatenate([[0], np.cumsum(is_comma)])
    is_divided = commas[matches.ends] > commas[matches.starts]
    matches = matches[~(general | is_divided)].longest(len(tokens.ids))
    spans = zip(matches.starts.tolist(), matches.ends.tolist(), strict=True)
    found: list[tuple[int, int]] = []
    texts = tokens.texts
    for start, end in spans:
        # A name of one word shares none.
        begin = int(tokens.offsets[texts[start]]) if end - start > 1 else start
        first = _coordinated(start, end, begin, analysis, lexicon)
        while found and first < found[-1][1]:
            found.pop()
        found.append((first, end))
    return found


def _coordinated(start: int, end: int, begin: int, analysis: Analysis, lexicon: Lexicon) -> int:
    """First token, not before `begin`, of the names that share the last word of the name `start:end`."""
    tokens = analysis.tokens
    while True:
        before = start - 1
        while before > begin and tokens.words[tokens.ids[before]] in COORDINATORS:
            before -= 1
        if before < begin or before == start - 1:
            return start
        for hashes, table in zip(analysis.hashes, lexicon.tables, strict=True):
            if hashes[before] and table.rows(hashes[before : before + 1] + hashes[end - 1 : end])[0] >= 0:
                start = before
                break
        else:
            return start

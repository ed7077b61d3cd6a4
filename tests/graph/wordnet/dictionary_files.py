"""A small WordNet for tests, in the format of the real dictionary files, and the real one where it can be found."""

from collections import defaultdict
from pathlib import Path

from dragon_core.artifacts import cache_folder
from dragon_core.graph.wordnet.source import find_wordnet

LICENCE = "  1 This software and database is being provided to you, the LICENSEE, by  \n"

NOUNS = """\
00001740 03 n 01 entity 0 001 ~ 00015388 n 0000 | that which is perceived to have its own existence
00015388 05 n 02 animal 0 beast 0 004 @ 00001740 n 0000 ~ 02084071 n 0000 ~ 02121620 n 0000 + 00300000 a 0201 | a \
living organism that moves
02084071 05 n 03 dog 0 domestic_dog 0 Canis_familiaris 0 003 @ 00015388 n 0000 #m 07994941 n 0000 ~i 09000000 n 0000 | \
a domesticated member of the genus Canis; "the dog barked all night"
02121620 05 n 02 cat 0 true_cat 0 001 @ 00015388 n 0000 | a feline mammal (also called "puss") that can roar or purr
07994941 14 n 01 pack 0 001 %m 02084071 n 0000 | a group of hunting animals
09000000 18 n 01 Lassie 0 001 @i 02084071 n 0000 | a famous collie; "Lassie saved the boy"- Eric Knight; "good girl!"
05000000 07 n 01 heat 0 001 = 00200000 a 0000 | the trait of being intense
"""
VERBS = """\
01000000 38 v 02 run 0 race 4 002 * 01100000 v 0000 + 09000000 n 0101 01 + 02 00 | move fast by using one's feet; \
"the children ran to the store"
01100000 38 v 01 move 0 000 01 + 02 00 | change position
"""
ADJECTIVES = """\
00200000 00 a 01 hot 0 003 = 05000000 n 0000 & 00210000 a 0000 ! 00220000 a 0101 | having a high temperature; "hot \
stove"; "a hot day"
00210000 00 s 02 boiling 0 at_the_boil(p) 0 001 & 00200000 a 0000 | extremely hot
00220000 00 a 01 cold 0 001 ! 00200000 a 0101 | having a low temperature
00300000 01 a 01 beastly 0 001 \\ 00015388 n 0102 | of or like an animal
"""
ADVERBS = """\
00400000 02 r 01 hotly 0 001 \\ 00200000 a 0101 | in a heated manner
"""
DATA = {"noun": NOUNS, "verb": VERBS, "adj": ADJECTIVES, "adv": ADVERBS}


def write_wordnet(folder: Path, data: dict[str, str] | None = None, licence: str = LICENCE) -> Path:
    """Write the dictionary files: `data` by suffix (default: the small WordNet), and the index that fits it."""
    folder.mkdir(parents=True, exist_ok=True)
    for suffix, text in {**DATA, **(data or {})}.items():
        (folder / f"data.{suffix}").write_text(licence + text, encoding="utf-8")
        senses = defaultdict(list)
        for line in text.splitlines():
            fields = line.split(" | ")[0].split()
            for word in fields[4 : 4 + 2 * int(fields[3], 16) : 2]:
                senses[word.split("(")[0].lower()].append(fields[0])
        kind = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}[suffix]
        index = [f"{w} {kind} {len(o)} 1 @ {len(o)} 0 {' '.join(o)}  \n" for w, o in sorted(senses.items())]
        (folder / f"index.{suffix}").write_text(licence + "".join(index), encoding="utf-8")
    return folder


def real_wordnet() -> Path | None:
    """Folder of the real dictionary files, if they are on this machine."""
    found = find_wordnet(cache_folder())
    return found.root if found else None

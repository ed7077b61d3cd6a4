"""A few concepts of the Metathesaurus, in the files' real form."""

import gzip
from collections.abc import Sequence
from pathlib import Path

# CUI LAT TS LUI STT SUI ISPREF AUI SAUI SCUI SDUI SAB TTY CODE STR SRL SUPPRESS CVF
CONSO = """\
C0004057|ENG|S|L1|VO|S1|Y|A1||M1|D1|MSH|ET|D001241|Acetylsalicylic Acid|0|N|256|
C0004057|ENG|P|L2|PF|S2|N|A2||||MTH|PN|NOCODE|Aspirin product|0|N||
C0004057|ENG|P|L2|PF|S2|Y|A3||M1|D1|MSH|MH|D001241|Aspirin|0|N|256|
C0004057|ENG|P|L2|VC|S3|Y|A4||||SNOMEDCT_US|SY|1|ASPIRIN|9|N||
C0004057|ENG|S|L3|PF|S4|Y|A5||||SNOMEDCT_US|OAP|2|ASA (obsolete)|9|O||
C0004057|SPA|P|L4|PF|S5|Y|A6||||MSHSPA|MH|D001241|Aspirina|3|N||
C0018681|ENG|P|L5|PF|S6|Y|A7||||MSH|MH|D006261|Headache "quoted|0|N||
C0018681|ENG|S|L6|PF|S7|Y|A8||||SNOMEDCT_US|SY|3|Cephalgia|9|N||
C0011334|ENG|P|L7|PF|S8|Y|A9||||SNOMEDCT_US|PT|4|Dental caries|9|N||
C0037763|SPA|P|L8|PF|S9|Y|A10||||MSHSPA|MH|5|Espasmo|3|N||
C0003211|ENG|P|L9|PF|S10|Y|A11||||MSH|MH|6|Anti-inflammatory agents|0|N||
"""
# CUI1 AUI1 STYPE1 REL CUI2 AUI2 STYPE2 RELA RUI SRUI SAB SL RG DIR SUPPRESS CVF
REL = """\
C0003211|A11|AUI|CHD|C0004057|A3|AUI|isa|R1||MSH|MSH|||N||
C0004057|A3|AUI|PAR|C0003211|A11|AUI|inverse_isa|R2||MSH|MSH|||N||
C0018681|A7|AUI|RO|C0004057|A3|AUI|may_treat|R3||MED-RT|MED-RT|||N||
C0004057|A3|AUI|RO|C0018681|A7|AUI|may_be_treated_by|R4||MED-RT|MED-RT|||N||
C0018681|A7|SCUI|RB|C0011334|A9|SCUI||R5||SNOMEDCT_US|SNOMEDCT_US||N|N||
C0011334|A9|SCUI|RN|C0018681|A7|SCUI||R6||SNOMEDCT_US|SNOMEDCT_US||N|N||
C0018681|A7|AUI|SIB|C0011334|A9|AUI||R7||MSH|MSH|||N||
C0011334|A9|AUI|SIB|C0018681|A7|AUI||R8||MSH|MSH|||N||
C0004057|A1|AUI|SY|C0004057|A3|AUI|permuted_term_of|R9||MSH|MSH|||N||
C0018681|A7|AUI|RO|C0037763|A10|AUI|has_finding_site|R10||MSH|MSH|||N||
C0011334|A9|AUI|RO|C0018681|A7|AUI|plays_role|R11||SNOMEDCT_US|SNOMEDCT_US|1|Y|N||
C0018681|A7|AUI|RO|C0011334|A9|AUI|role_played_by|R12||SNOMEDCT_US|SNOMEDCT_US|1|N|N||
C0004057|A3|AUI|AQ|C0011334|A9|AUI||R13||MSH|MSH|||N||
C0011334|A9|AUI|QB|C0004057|A3|AUI||R14||MSH|MSH|||N||
C0018681|A7|AUI|XR|C0004057|A3|AUI||R15||SNOMEDCT_US|SNOMEDCT_US|||N||
C0003211|A7|AUI|RO|C0018681|A3|AUI|co-occurs_with|R16||MSH|MSH|||O||
"""
STY = """\
C0004057|T109|A1.4.1.2.1|Organic Chemical|AT1|256|
C0004057|T121|A1.4.1.1.1|Pharmacologic Substance|AT2|256|
C0018681|T184|A2.2.2|Sign or Symptom|AT3||
C0011334|T047|B2.2.1.2.1|Disease or Syndrome|AT4||
C0037763|T184|A2.2.2|Sign or Symptom|AT5||
C0003211|T121|A1.4.1.1.1|Pharmacologic Substance|AT6||
"""
DEF = """\
C0004057|A6|AT10||MSHSPA|Un analgésico.|N||
C0004057|A3|AT11||MSH|Out of date.|O||
C0004057|A3|AT12||MSH|The prototypical analgesic used for mild to moderate pain.|N||
C0004057|A4|AT13||SNOMEDCT_US|Another definition.|N||
C0018681|A8|AT14||SNOMEDCT_US|Pain in the head.|N||
"""
DOC = """\
REL|CHD|expanded_form|has child relationship in a Metathesaurus source vocabulary|
RELA|isa|rela_inverse|inverse_isa|
RELA|inverse_isa|rela_inverse|isa|
RELA|plays_role|expanded_form|Plays role|
RELA|plays_role|rela_inverse|role_played_by|
RELA|role_played_by|rela_inverse|plays_role|
RELA||rela_inverse||
"""
FILES = {"MRCONSO": CONSO, "MRREL": REL, "MRSTY": STY, "MRDEF": DEF, "MRDOC": DOC}


def write_metathesaurus(folder: Path, compressed: bool = False, without: Sequence[str] = (), **changed: str) -> Path:
    """Write the files into a folder `META`; `changed` replaces contents by the name of a file."""
    meta = folder / "META"
    meta.mkdir(parents=True)
    for name, text in {**FILES, **changed}.items():
        if name in without:
            continue
        if compressed:
            (meta / f"{name}.RRF.gz").write_bytes(gzip.compress(text.encode()))
        else:
            (meta / f"{name}.RRF").write_text(text, encoding="utf-8")
    return folder

"""The method `concept`: biomedical mentions, by names, abbreviations and what annotated documents teach."""

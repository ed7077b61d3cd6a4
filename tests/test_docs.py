"""What the documentation says of the code is so."""

from pathlib import Path

from dragon_core.modeling.published import OPTIONS

DOCS = Path(__file__).parents[1] / "docs"


def options_table() -> str:
    rows = []
    for option in OPTIONS:
        names = f"`{option.names[0]}`" + "".join(f" (`{name}`)" for name in option.names[1:])
        values = "" if option.values is None else ", ".join(f"{a} is {b}" for a, b in option.values.items())
        rows.append(f"| {names} | `{option.field}` | {values} |")
    return "\n".join(["| published | `DragonConfig` | values |", "| --- | --- | --- |", *rows])


def test_the_table_of_published_options_is_that_of_the_code() -> None:
    assert options_table() in (DOCS / "model.md").read_text(encoding="utf-8")

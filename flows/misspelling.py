"""Says what pydantic found wrong, and for an unknown key which known one may have been meant."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

Location = tuple[str | int, ...]


def explain(error: ValidationError, schema: Mapping[str, Any]) -> Iterator[tuple[Location, str]]:
    """Location and message of everything that is wrong.

    Args:
        error: What validation raised.
        schema: JSON schema of what was validated, with its `$defs` or `definitions`.
    """
    for one in error.errors():
        location: Location = one["loc"]
        match one["type"]:
            case "extra_forbidden" | "unexpected_keyword_argument":
                yield location, unknown(str(location[-1]), known_keys(schema, location[:-1]))
            case "missing" | "missing_argument":
                yield location[:-1], f"`{location[-1]}` is missing"
            case _:
                yield location, one["msg"].removeprefix("Value error, ").replace("\n", " ")


def unknown(key: str, known: list[str]) -> str:
    """The sentence for a key that is not known."""
    close = difflib.get_close_matches(key, known, n=1)
    if close:
        return f"there is no `{key}` here; did you mean `{close[0]}`?"
    return f"there is no `{key}` here; there are {', '.join(f'`{name}`' for name in known) or 'none at all'}"


def known_keys(schema: Mapping[str, Any], location: Location) -> list[str]:
    """Names of the properties that the schema knows at a location."""
    definitions = schema.get("$defs") or schema.get("definitions") or {}
    nodes = _expand(schema, definitions)
    for step in location:
        inner = [child for node in nodes for child in _children(node, step)]
        # Pydantic's locations also name the member of a union it tried, which is no step of the data.
        if inner:
            nodes = [expanded for child in inner for expanded in _expand(child, definitions)]
    return sorted({name for node in nodes for name in node.get("properties", {})})


def _children(node: Mapping[str, Any], step: str | int) -> list[Mapping[str, Any]]:
    children = [node.get("items")] if isinstance(step, int) else [node.get("properties", {}).get(step)]
    return [child for child in children if isinstance(child, Mapping)]


def _expand(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The node and all that it refers to or may be."""
    referred = [definitions[node["$ref"].rsplit("/", 1)[-1]]] if "$ref" in node else []
    members = [member for kind in ("anyOf", "allOf", "oneOf") for member in node.get(kind, [])]
    return [node, *(expanded for inner in [*referred, *members] for expanded in _expand(inner, definitions))]

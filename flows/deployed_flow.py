"""Checks that a deployment's flow can be imported and takes the deployment's parameters."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from flows.misspelling import explain, unknown

Location = tuple[str | int, ...]
Found = tuple[Location, str]


def check_flow(
    folder: Path, entrypoint: str, parameter_sets: Sequence[tuple[Location, Mapping[str, Any]]], scheduled: bool
) -> tuple[str | None, list[Found]]:
    """Import a deployment's flow and validate parameters by it.

    Args:
        folder: What the entrypoint's path is relative to.
        entrypoint: `PATH.py:FLOW`.
        parameter_sets: Parameters that runs will have, each with where they stand in the deployment.
        scheduled: Whether runs start by themselves, so that no parameter can be left for the user to give.

    Returns:
        The flow's name (None if it cannot be imported), and what is wrong: location in the deployment and message.
    """
    from prefect.flows import load_flow_from_entrypoint

    path = folder / entrypoint.rsplit(":", 1)[0]
    if not path.is_file():
        return None, [(("entrypoint",), f"there is no file {path}")]
    try:
        flow: Any = load_flow_from_entrypoint(f"{folder / entrypoint}", use_placeholder_flow=False)
    except Exception as error:
        cause = error.__cause__ or error
        return None, [(("entrypoint",), f"it cannot be imported: {type(cause).__name__}: {_first_line(cause)}")]
    found: list[Found] = []
    for location, parameters in parameter_sets:
        for inner, message in _parameter_problems(flow, parameters, scheduled):
            if (problem := ((*location, *inner), message)) not in found:
                found.append(problem)
    return flow.name, found


def _parameter_problems(flow: Any, parameters: Mapping[str, Any], scheduled: bool) -> Iterator[Found]:
    from prefect.exceptions import ParameterTypeError

    schema = flow.parameters.model_dump()
    known = list(schema["properties"])
    misspelt = [name for name in parameters if name not in known]
    yield from (((name,), unknown(name, known)) for name in misspelt)
    missing = [name for name in schema.get("required", []) if name not in parameters]
    if missing and scheduled:
        yield from (((), f"`{name}` is missing, and scheduled runs have nobody to give it") for name in missing)
    if misspelt or missing:
        yield from _schema_problems(schema, {name: value for name, value in parameters.items() if name in known})
        return
    try:
        with _without_log("prefect.flows"):
            flow.validate_parameters(dict(parameters))
    except ParameterTypeError as error:
        # Prefect keeps of pydantic's error only the text; the places are in the error it replaced.
        if isinstance(error.__context__, ValidationError):
            yield from explain(error.__context__, schema)
        else:
            yield (), _first_line(error)


def _schema_problems(schema: dict[str, Any], parameters: dict[str, Any]) -> Iterator[Found]:
    """What the server will refuse of parameters that are not complete."""
    from prefect.utilities.schema_tools import validate

    for error in validate(parameters, schema, ignore_required=True):
        yield tuple(error.absolute_path), error.message


@contextmanager
def _without_log(name: str) -> Iterator[None]:
    logger = logging.getLogger(name)
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]

"""What each stage leaves in the Prefect UI: its counts, what it was made from, and the page the stage itself wrote."""

import json

from prefect.artifacts import create_markdown_artifact

from dragon_core.artifacts import Artifact
from dragon_core.artifacts.draft import SUMMARY_NAME

# Key of the page with the result of a whole run.
RESULT_KEY = "result"


def publish(artifact: Artifact) -> None:
    """Show an artifact on the current flow run's page."""
    create_markdown_artifact(
        key=artifact.reference.stage, markdown=artifact_page(artifact), description=f"{artifact.reference}"
    )


def publish_result(summary: str) -> None:
    """Show the result of the current flow run, in Markdown."""
    create_markdown_artifact(key=RESULT_KEY, markdown=summary, description="What the run made, and what it was worth.")


def artifact_page(artifact: Artifact) -> str:
    """The artifact in Markdown: counts, inputs, parameters, then the stage's own summary, if it wrote one."""
    manifest = artifact.manifest
    counts = "".join(f"| {name.replace('_', ' ')} | {number:,} |\n" for name, number in manifest.counts.items())
    inputs = "".join(
        f"| {name} | {record.reference or record.path} | `{record.digest[:12]}` |\n"
        for name, record in manifest.inputs.items()
    )
    size = sum(file.size for file in manifest.files) / 1e6
    page = (
        f"# {manifest.stage}\n\n`{artifact.reference}`, {len(manifest.files)} files, {size:,.1f} MB, made in"
        f" {manifest.seconds:,.1f} s on {manifest.created:%Y-%m-%d %H:%M} UTC, in `{artifact.store_folder.path}`\n\n"
        f"| count | |\n| --- | ---: |\n{counts}\n"
    )
    params = "".join(
        f"| {name} | `{json.dumps(value).replace('|', chr(92) + '|')}` |\n" for name, value in manifest.params.items()
    )
    if params:
        page += f"| parameter | |\n| --- | --- |\n{params}\n"
    if inputs:
        page += f"| made from | | contents |\n| --- | --- | --- |\n{inputs}\n"
    if any(file.name == SUMMARY_NAME for file in manifest.files):
        page += artifact.path(SUMMARY_NAME).read_text(encoding="utf-8")
    return page

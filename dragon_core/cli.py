"""The `dragon` program: its commands over the domain. `flows/cli.py` adds those that need Prefect, and is what runs."""

import typer

app = typer.Typer(
    help="Pretrain a language model and a knowledge graph jointly, as traceable Prefect pipelines.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

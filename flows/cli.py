"""The `dragon` program: the domain's commands, and those that need Prefect."""

import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from dragon_core.cli import app
from dragon_core.errors import DragonError
from flows.local_server import PIPELINES_NAME, LocalServer

server_app = typer.Typer(help="The project's local Prefect server and worker.", no_args_is_help=True)
app.add_typer(server_app, name="server")

FileArgument = Annotated[Path, typer.Argument(help="The file of deployments.")]


@app.callback()
def options(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the stack trace of a failure; may stand anywhere.")
    ] = False,
) -> None:
    """Declare `--debug` for the help; `main` takes it out of the arguments before they are read."""


@app.command()
def check(file: FileArgument = Path(PIPELINES_NAME)) -> None:
    """Check the deployments' file: its keys, its schedules, and every deployment's parameters against its flow."""
    from flows.pipelines_file import check_pipelines

    _server()
    problems = check_pipelines(file)
    for problem in problems:
        typer.echo(f"{file}, {problem}", err=True)
    if problems:
        noun = "problem" if len(problems) == 1 else "problems"
        raise DragonError(f"{file} has {len(problems)} {noun}; mend the lines named above.")
    typer.echo(f"{file} is sound.")


@app.command()
def demo() -> None:
    """Run the deployment pretrain-general from start to end on a local server, and print its result."""
    from flows.demo import run_demo

    run_demo(_server())


@app.command()
def ui() -> None:
    """Start the local server if need be, print the address of its UI, and open it where there is a screen."""
    server = _server()
    server.start()
    typer.echo(f"The Prefect UI is at {server.ui_url}")
    if sys.platform in {"darwin", "win32"} or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        typer.launch(server.ui_url)


@server_app.command("start")
def start_server() -> None:
    """Start the server and one worker in the background; what runs already is left running."""
    server = _server()
    server.start()
    typer.echo(f"The Prefect server runs at {server.ui_url}, with one worker; logs are in {server.home}.")
    if server.hint:
        typer.echo(server.hint)


@server_app.command("stop")
def stop_server() -> None:
    """End the server and the worker that this project started."""
    stopped = _server().stop()
    typer.echo(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing of this project was running.")


@server_app.command("status")
def server_status() -> None:
    """Say what runs; the exit status is 1 unless server and worker do."""
    status = _server().status()
    typer.echo(f"server: {'running' if status.server else 'not running'}, {status.api_url}")
    typer.echo(f"answers: {'yes' if status.answers else 'no'}")
    typer.echo(f"worker: {'running' if status.worker else 'not running'}")
    if not (status.server and status.answers and status.worker):
        raise typer.Exit(1)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program; a failure the user can act on ends it with one sentence and exit status 1."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    try:
        app(args=[argument for argument in given if argument != "--debug"], prog_name="dragon")
    except Exception as error:
        sentence = sentence_of(error)
        if debug or sentence is None:
            raise
        print(sentence, file=sys.stderr)
        sys.exit(1)


def sentence_of(error: Exception) -> str | None:
    """What to tell the user about a failure; None if it is a fault of the program."""
    import httpx

    if isinstance(error, DragonError):
        return str(error)
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        where = f" that holds {error.filename}" if error.filename else ""
        return f"There is no space left on the disk{where}; free some and run the command again: what is done is kept."
    if isinstance(error, ConnectionError | httpx.ConnectError):
        return "No Prefect server answers; start the local one with `dragon server start`."
    return None


def _server() -> LocalServer:
    """The server of the project in the current folder.

    Raises:
        DragonError: The folder holds no project.
    """
    project = Path.cwd()
    if not (project / PIPELINES_NAME).is_file():
        raise DragonError(f"There is no {PIPELINES_NAME} in {project}; run this in the project's folder.")
    server = LocalServer(project, say=typer.echo)
    # Set before anything imports Prefect, which would make its home in the user's home.
    server.home.mkdir(parents=True, exist_ok=True)
    os.environ["PREFECT_HOME"] = str(server.home)
    return server

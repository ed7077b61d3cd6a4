import pytest

from tests.flows.running import User

pytestmark = pytest.mark.e2e


def test_a_unique_bare_name_runs_through_the_worker(user: User) -> None:
    done = user.run("prefect", "deployment", "run", "rehearse-general", "--watch")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Creating flow run for deployment 'rehearse/rehearse-general'" in done.stdout
    assert "Flow run finished successfully in 'Completed'" in done.stdout


def test_the_full_name_works_as_ever(user: User) -> None:
    done = user.run("prefect", "deployment", "run", "evaluate/twice", "-p", "checkpoint=x", "--start-in", "1 day")
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_ambiguous_bare_name_is_refused_with_the_full_names(user: User) -> None:
    done = user.run("prefect", "deployment", "run", "twice")
    assert done.returncode == 1
    assert done.stderr == "'twice' names 2 deployments; say which: evaluate/twice or rehearse/twice.\n"


def test_an_unknown_name_is_not_found(user: User) -> None:
    for name in ("rehearse-genral", "rehearse/rehearse-genral"):
        done = user.run("prefect", "deployment", "run", name)
        assert (done.returncode, done.stdout + done.stderr) == (1, f"Deployment '{name}' not found!\n")


def test_outside_the_project_the_command_line_is_as_it_was(user: User) -> None:
    done = user.run("prefect", "deployment", "run", "rehearse-general", PREFECT_PLUGINS_ENABLED="false")
    assert done.returncode == 1
    assert "Invalid deployment name format" in done.stderr

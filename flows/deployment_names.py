"""Lets `prefect deployment run NAME` find a deployment whose name is unique, without the flow's name before it.

A plugin of Prefect's command line (entry point group `prefect.plugins`, switched on by `prefect.toml`).
`FLOW/NAME` goes through untouched.
"""

import sys
from pathlib import Path

from prefect.plugins import HookContext, register_hook


@register_hook
def setup_environment(*, ctx: HookContext) -> None:
    """Teach this process's client bare names, if the process is Prefect's command line.

    Prefect calls the hook at the end of each `import prefect`; flow runs and other programs are left as they are.
    """
    # `-m` stands there while `python -m prefect` is being imported.
    if Path(sys.argv[0]).stem not in {"prefect", "-m"}:
        return
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName
    from prefect.client.schemas.responses import DeploymentResponse
    from prefect.exceptions import ObjectNotFound

    read_by_full_name = PrefectClient.read_deployment_by_name

    async def read_deployment_by_name(client: PrefectClient, name: str) -> DeploymentResponse:
        if "/" in name:
            return await read_by_full_name(client, name)
        wanted = DeploymentFilter(name=DeploymentFilterName(any_=[name]))
        found = await client.read_deployments(deployment_filter=wanted)
        if len(found) == 1:
            return found[0]
        if not found:
            raise ObjectNotFound(LookupError(name))
        full_names = sorted([f"{(await client.read_flow(one.flow_id)).name}/{name}" for one in found])
        # The command line would print any other exception with its stack trace.
        print(f"{name!r} names {len(found)} deployments; say which: {' or '.join(full_names)}.", file=sys.stderr)
        raise SystemExit(1)

    PrefectClient.read_deployment_by_name = read_deployment_by_name  # type: ignore[method-assign, assignment]

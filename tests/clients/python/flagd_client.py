"""A service that asks flagd's in-process provider. Settings: host, port, selector, provider_id, default."""

from lines import openfeature, serve, settings
from openfeature import api
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType

given = settings()
api.set_provider(
    FlagdProvider(
        resolver_type=ResolverType.IN_PROCESS,
        host=given["host"],
        port=given["port"],
        selector=given.get("selector"),
        provider_id=given.get("provider_id"),
        # As a service would have it, but for the times: tests have none to lose.
        deadline_ms=5000,
        retry_backoff_ms=200,
        retry_backoff_max_ms=1000,
        keep_alive_time=given.get("keep_alive_ms", 0),
    )
)
serve(openfeature(given["default"]))

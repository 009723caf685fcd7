"""A service that asks through Unleash's SDK. Settings: url, token, app, instance, cache."""

import logging

from lines import serve, settings
from UnleashClient import UnleashClient

given = settings()
logging.disable(logging.CRITICAL)
client = UnleashClient(
    url=given["url"],
    app_name=given["app"],
    instance_id=given["instance"],
    custom_headers={"Authorization": given["token"]},
    refresh_interval=1,
    metrics_interval=1,
    cache_directory=given["cache"],
)
client.initialize_client()


def evaluate(flag, key, context):
    asked = dict(context, **({"userId": key} if key else {}))
    return {"value": client.is_enabled(flag, asked), "reason": None, "variant": None, "error": None, "metadata": {}}


serve(evaluate)

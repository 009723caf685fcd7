"""A service that asks over OFREP. Settings: url, token, default."""

from lines import openfeature, serve, settings
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider

given = settings()
headers = {"Authorization": f"Bearer {given['token']}"} if given.get("token") else {}
api.set_provider(OFREPProvider(given["url"], headers_factory=lambda: headers))
serve(openfeature(given["default"]))

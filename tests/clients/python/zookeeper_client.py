"""A service in ZooKeeper, through kazoo, in the layout of Curator's service discovery; it knows nothing of Rein.

Settings: servers (HOST:PORT), base, service. It keeps a mirror of the service, as Curator's cache does, and asks
it every 10 ms whom to call. Each line is a command:

    {"calls": true}                       how often each was chosen since this was asked last  -> {"seen": {ID: N}}
    {"create": PATH, "data": TEXT, "ephemeral": BOOL}        a node of this session, or of none  -> {"done": true}
    {"set": PATH, "data": TEXT}                                                                  -> {"done": true}
    {"delete": PATH}                                                                             -> {"done": true}
    {"get": PATH}                         -> {"data": TEXT, "czxid": N, "owner": N}, or {} where nothing is
"""

import itertools
import json
import sys
import threading
import time

from kazoo.client import KazooClient
from kazoo.exceptions import NoNodeError
from kazoo.recipe.cache import TreeCache
from kazoo.retry import KazooRetry
from lines import settings

given = settings()
retry = KazooRetry(max_tries=-1, delay=0.1, max_delay=0.5)
client = KazooClient(hosts=given["servers"], timeout=10, connection_retry=retry, command_retry=retry)
client.start()
home = f"{given['base']}/{given['service']}"
client.ensure_path(home)
mirror = TreeCache(client, home)
mirror.start()
seen = {}
lock = threading.Lock()


def enabled():
    """Whom the mirror has that does not say it is disabled."""
    for name in sorted(mirror.get_children(home, ())):
        node = mirror.get_data(f"{home}/{name}")
        try:
            if node is not None and json.loads(node.data).get("enabled", True):
                yield name
        except (ValueError, AttributeError):
            pass


def call():
    for turn in itertools.count():
        who = list(enabled())
        with lock:
            chosen = who[turn % len(who)] if who else "nobody"
            seen[chosen] = seen.get(chosen, 0) + 1
        time.sleep(0.01)


def answer(command):
    if "create" in command:
        data = command["data"].encode()
        client.create(command["create"], data, ephemeral=command["ephemeral"], makepath=True)
    elif "set" in command:
        client.set(command["set"], command["data"].encode())
    elif "delete" in command:
        client.delete(command["delete"])
    elif "get" in command:
        try:
            data, stat = client.get(command["get"])
        except NoNodeError:
            return {}
        return {"data": data.decode(), "czxid": stat.czxid, "owner": stat.ephemeralOwner}
    else:
        with lock:
            said = dict(seen)
            seen.clear()
        return {"seen": said}
    return {"done": True}


threading.Thread(target=call, daemon=True).start()
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
client.stop()

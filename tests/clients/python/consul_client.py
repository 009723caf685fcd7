"""A service that finds others through Consul; it knows nothing of Rein.

Settings: dns (a port on loopback), http (another), service. Every 10 ms it asks Consul's DNS for the SRV records of the
service, with dnspython, and calls one of them. Each line is a command:

    {"calls": true}                  how often each port was chosen since this was asked last  -> {"seen": {PORT: N}}
    {"dns": true}                    the records: {"PORT": WEIGHT}                              -> {"seen": {...}}
    {"library": true}                whom py-consul says is well: ids                           -> {"seen": [ID, ...]}
    {"register": ID, "port": N, "meta": {...}, "weight": N}         at the agent, by py-consul  -> {"done": true}
    {"deregister": ID}                                                                          -> {"done": true}
    {"maintain": ID, "reason": TEXT}     without a reason it ends                               -> {"done": true}
"""

import itertools
import json
import sys
import threading
import time

import consul
import dns.exception
import dns.resolver
from lines import settings

given = settings()
name = f"{given['service']}.service.consul"
resolver = dns.resolver.Resolver(configure=False)
resolver.nameservers = ["127.0.0.1"]
resolver.port = given["dns"]
resolver.lifetime = 2
library = consul.Consul(host="127.0.0.1", port=given["http"])
seen = {}
lock = threading.Lock()


def records():
    """Ports and weights; nothing where DNS knows nobody, or does not answer."""
    try:
        # Over TCP an answer is never cut short.
        return {str(one.port): one.weight for one in resolver.resolve(name, "SRV", tcp=True)}
    except (dns.exception.DNSException, OSError):
        return {}


def call():
    for turn in itertools.count():
        who = sorted(records())
        with lock:
            chosen = who[turn % len(who)] if who else "nobody"
            seen[chosen] = seen.get(chosen, 0) + 1
        time.sleep(0.01)


def answer(command):
    if "dns" in command:
        return {"seen": records()}
    if "library" in command:
        _, nodes = library.health.service(given["service"], passing=True)
        return {"seen": sorted(node["Service"]["ID"] for node in nodes)}
    if "register" in command:
        library.agent.service.register(
            given["service"],
            service_id=command["register"],
            address="10.0.0.7",
            port=command["port"],
            meta=command["meta"],
            weights={"passing": command["weight"], "warning": 1},
            check=consul.Check.ttl("600s"),
        )
        library.agent.check.ttl_pass(f"service:{command['register']}")
    elif "deregister" in command:
        library.agent.service.deregister(command["deregister"])
    elif "maintain" in command:
        library.agent.service.maintenance(command["maintain"], "true" if command.get("reason") else "false", command.get("reason"))
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

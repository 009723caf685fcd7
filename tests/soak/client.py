"""A Python service's flagd client (in-process resolver) that loses its server.

It waits until one flag is off, says so, and goes on asking by its own clock until the flag is on
again. Prints `holding`, then one line of JSON. A default served in place of the set counts as wrong.
"""

import argparse
import json
import os
import select
import sys
import time

from openfeature import api
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType

parser = argparse.ArgumentParser()
parser.add_argument("--grpc", required=True)
parser.add_argument("--switch", required=True)
parser.add_argument("--deadline", type=int, required=True)
parser.add_argument("--skew", type=int, default=0)
args = parser.parse_args()

host, port = args.grpc.rsplit(":", 1)
service = args.switch.split("/")[0]
flag = args.switch.replace("/", ".")
api.set_provider(
    FlagdProvider(
        host=host,
        port=int(port),
        tls=False,
        resolver_type=ResolverType.IN_PROCESS,
        selector=f"flagSetId={service}",
    )
)
client = api.get_client()


def pause():
    """Sleeps by a relative time: libfaketime refuses absolute ones."""
    select.select([], [], [], 0.05)


errors = evaluations = 0


def ask(default):
    global errors, evaluations
    details = client.get_boolean_details(flag, default)
    evaluations += 1
    if details.error_code is not None:
        errors += 1
        return default
    return details.value


give_up = time.monotonic() + 20
while ask(True):
    if time.monotonic() > give_up:
        sys.exit("the flag is never off")
    pause()
errors = 0
print("holding", flush=True)

while not ask(False):
    if time.time() * 1000 > args.deadline + 10_000:
        break
    pause()
off_by = round(time.time() * 1000) - args.deadline
print(
    json.dumps(
        {
            "what": "keep",
            "n": evaluations,
            "skew_seconds": args.skew,
            "own_clock_off_by_ms": off_by,
            "errors": errors,
            "violations": int(abs(off_by) > 1000 or errors > 0),
        }
    ),
    flush=True,
)
# The provider's threads go on trying to connect, and nobody waits for them.
os._exit(0)

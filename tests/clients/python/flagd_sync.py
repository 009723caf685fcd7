"""The sync protocol itself, through grpcio and the stubs of the flagd provider. Settings: host, port.

Commands, beside the end of the input:

    {"fetch": SELECTOR, "header": SELECTOR}      -> {"code": ..., "set": {...}}
    {"metadata": true}                           -> {"code": ...}
    {"stream": SECONDS, "keepalive_ms": N}       -> {"code": ..., "messages": N}
"""

import json
import sys

import grpc
from lines import settings
from openfeature.schemas.protobuf.flagd.sync.v1 import sync_pb2, sync_pb2_grpc

given = settings()
TARGET = f"{given['host']}:{given['port']}"


def stub(*options):
    return sync_pb2_grpc.FlagSyncServiceStub(grpc.insecure_channel(TARGET, options=options))


def fetch(command):
    request = sync_pb2.FetchAllFlagsRequest(provider_id="order/raw", selector=command["fetch"])
    header = command.get("header")
    metadata = (("flagd-selector", header),) if header is not None else None
    answer = stub().FetchAllFlags(request, timeout=5, metadata=metadata)
    return {"set": json.loads(answer.flag_configuration)}


def metadata(_):
    stub().GetMetadata(sync_pb2.GetMetadataRequest(), timeout=5)
    return {}


def stream(command):
    # As eager as a client can be: a ping each time, whether or not anything is said.
    options = (
        ("grpc.keepalive_time_ms", command["keepalive_ms"]),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.http2.min_time_between_pings_ms", command["keepalive_ms"]),
    )
    request = sync_pb2.SyncFlagsRequest(provider_id="order/eager")
    messages = 0
    try:
        for _ in stub(*options).SyncFlags(request, timeout=command["stream"]):
            messages += 1
    except grpc.RpcError as error:
        return {"messages": messages, "code": error.code().name, "details": error.details()}
    return {"messages": messages}


def answer(command):
    for name, call in (("fetch", fetch), ("metadata", metadata), ("stream", stream)):
        if name in command:
            try:
                return {"code": "OK", **call(command)}
            except grpc.RpcError as error:
                return {"code": error.code().name, "details": error.details()}
    return {"code": "no such command"}


print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)

"""A service that registers over gRPC, with stubs that grpcio-tools made of Rein's proto file.

Settings: target (HOST:PORT), token, proto (the directory of proto files), service, ca (a PEM file; without it the
connection is plain). Each line is a command:

    {"register": {...}}    the fields of RegisterRequest     -> those of RegisterReply, or {"code", "error", "says"}
    {"deregister": {...}}, {"heartbeat": {...}}              -> the same
    {"roster": true}       who gets traffic now              -> {"serial": N, "instances": [...]}
"""

import json
import sys
import threading

import grpc
from google.protobuf.json_format import MessageToDict, ParseDict
from lines import settings

given = settings()
sys.path.insert(0, given["proto"])
pb, stubs = grpc.protos_and_services("rein/registry/v1/registry.proto")

if "ca" in given:
    with open(given["ca"], "rb") as ca:
        channel = grpc.secure_channel(given["target"], grpc.ssl_channel_credentials(ca.read()))
else:
    channel = grpc.insecure_channel(given["target"])
registry = stubs.RegistryStub(channel)
with_token = [("authorization", f"Bearer {given['token']}")]
seen = {"serial": 0, "instances": []}


def spelled(message):
    return MessageToDict(message, preserving_proto_field_name=True)


def watch():
    global seen
    for roster in registry.Watch(pb.WatchRequest(service=given["service"]), metadata=with_token):
        seen = {"serial": roster.serial, "instances": [spelled(one) for one in roster.instances]}


def answer(command):
    if "roster" in command:
        return seen
    call, request = {
        "register": (registry.Register, pb.RegisterRequest),
        "deregister": (registry.Deregister, pb.DeregisterRequest),
        "heartbeat": (registry.Heartbeat, pb.HeartbeatRequest),
    }[next(iter(command))]
    metadata = with_token if command.get("token", True) else []
    try:
        return spelled(call(ParseDict(next(iter(command.values())), request()), metadata=metadata, timeout=10))
    except grpc.RpcError as error:
        says = dict(error.trailing_metadata() or ()).get("rein-error")
        return {"code": error.code().name, "error": error.details(), "says": says}


threading.Thread(target=watch, daemon=True).start()
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)

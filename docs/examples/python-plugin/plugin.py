"""A Rein plugin that keeps silences in a file: the place to start from.

The first half is the backend: replace it with calls to yours. The second half is what every plugin
in Python needs, and can stay as it is.
"""

import concurrent.futures
import fcntl
import json
import os
import sys
import uuid

import grpc
import plugin_pb2 as wire
import plugin_pb2_grpc as services

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "minLength": 1, "description": "Path of the file that holds the silences"}
    },
}
PAGE = 10
MAX_CELLS = 500


class Refused(Exception):
    """Why a call did not do what it was asked: a kind of the contract, and words for people."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.fault = wire.Fault(kind=kind, message=message)


def invalid(message):
    return Refused(wire.FAULT_KIND_INVALID, message)


class File:
    """The file, read and written as one step, also beside another process."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        try:
            self.lock = open(self.path + ".lock", "w")
            fcntl.flock(self.lock, fcntl.LOCK_EX)
            try:
                with open(self.path, encoding="utf-8") as file:
                    self.before = file.read()
                self.kept = json.loads(self.before)
            except FileNotFoundError:
                # Another incarnation each time the file is made: so Rein knows that it forgot.
                self.before = ""
                self.kept = {"incarnation": uuid.uuid4().hex, "next": 1, "silences": []}
        except (OSError, ValueError) as error:
            raise Refused(wire.FAULT_KIND_UNREACHABLE, f"{self.path}: {error}") from error
        return self.kept

    def __exit__(self, kind, error, trace):
        try:
            after = json.dumps(self.kept, ensure_ascii=False, indent=1)
            if kind is None and after != self.before:
                # Renamed into place, so that a reader without the lock never meets half a file.
                with open(self.path + ".new", "w", encoding="utf-8") as file:
                    file.write(after)
                os.replace(self.path + ".new", self.path)
        except OSError as error:
            raise Refused(wire.FAULT_KIND_UNREACHABLE, f"{self.path}: {error}") from error
        finally:
            self.lock.close()


def canonical(text):
    """The one spelling of a value: equal text means the same in force."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise invalid(f"the value is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise invalid("the value is no JSON object")
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def seen(kept, cell):
    mine = [silence for silence in kept["silences"] if silence["cell"] == cell]
    return wire.Seen(
        cell=cell,
        value=mine[0]["value"] if mine else None,
        incarnation=kept["incarnation"],
        copies=len(mine),
        object=mine[0]["id"] if mine else "",
        peers=1,
    )


def listed(silence):
    value = json.loads(silence["value"])
    text = {name: str(value.get(name, "")) for name in ("starts", "ends", "author", "comment")}
    matchers = [
        wire.Matcher(name=str(m["name"]), op=str(m["op"]), value=str(m["value"]))
        for m in value.get("matchers", [])
    ]
    return wire.Silence(id=silence["id"], cell=silence["cell"], state="active", matchers=matchers, **text)


class Backend:
    """What is known once the plugin was configured: where the file is. All else is in the file."""

    file = None

    def open(self):
        if self.file is None:
            raise Refused(wire.FAULT_KIND_NOT_DONE, "no backend was configured yet")
        return File(self.file)


class Plugin(services.PluginServicer):
    def __init__(self, backend):
        self.backend = backend

    def Describe(self, request, context):
        return wire.DescribeReply(
            name="file-silences",
            version="0.1.0",
            config_schema=json.dumps(SCHEMA),
            repeat=wire.REPEAT_MARKER,
            nouns=["silence"],
            cannot=["say which alerts a silence hushes"],
            when_rein_dies="silences stay until somebody removes them from the file",
        )

    def Configure(self, request, context):
        def wrong(field, message):
            return wire.ConfigureReply(errors=[wire.FieldError(field=field, message=message)])

        try:
            config = json.loads(request.config)
        except ValueError as error:
            return wrong("", f"the configuration is not JSON: {error}")
        if not isinstance(config, dict) or not isinstance(config.get("file"), str):
            return wrong("/file" if isinstance(config, dict) else "", "name a file")
        if not os.path.isabs(config["file"]):
            return wrong("/file", "the path is not absolute; write it from the root")
        if not os.path.isdir(os.path.dirname(config["file"])):
            return wrong("/file", "its directory does not exist; make it first")
        self.backend.file = config["file"]
        return wire.ConfigureReply()

    def Check(self, request, context):
        try:
            with self.backend.open() as kept:
                count = len(kept["silences"])
        except Refused as refused:
            finding = wire.Finding(grade=wire.GRADE_ERROR, subject="the file", message=str(refused))
        else:
            message = f"it can be read and written, and holds {count} silences"
            finding = wire.Finding(grade=wire.GRADE_OK, subject="the file", message=message)
        return wire.CheckReply(findings=[finding])


class Cells(services.CellsServicer):
    def __init__(self, backend):
        self.backend = backend

    def Resolve(self, request, context):
        for target in request.targets:
            if target.noun != "silence":
                message = f"only silences are kept in the file, no {target.noun}"
                return wire.ResolveReply(fault=wire.Fault(kind=wire.FAULT_KIND_UNSUPPORTED, message=message))
        return wire.ResolveReply(cells=[target.name for target in request.targets])

    def Observe(self, request, context):
        try:
            if len(request.cells) > MAX_CELLS:
                raise invalid(f"{len(request.cells)} cells are asked for; {MAX_CELLS} are the most")
            with self.backend.open() as kept:
                return wire.ObserveReply(seen=[seen(kept, cell) for cell in request.cells])
        except Refused as refused:
            return wire.ObserveReply(fault=refused.fault)

    def Apply(self, request, context):
        try:
            want = canonical(request.want) if request.HasField("want") else None
            with self.backend.open() as kept:
                mine = [silence for silence in kept["silences"] if silence["cell"] == request.cell]
                # The cell and the change inside are the marker by which a repeated write finds its
                # own. Whatever else carries it is a copy: the oldest stays, the others go.
                for silence in mine if want is None else mine[1:]:
                    kept["silences"].remove(silence)
                if want is not None and mine:
                    mine[0].update(value=want, change=request.change)
                elif want is not None:
                    name = f"silence-{kept['next']}"
                    kept["next"] += 1
                    kept["silences"].append(
                        {"id": name, "cell": request.cell, "change": request.change, "value": want}
                    )
            return wire.ApplyReply()
        except Refused as refused:
            return wire.ApplyReply(fault=refused.fault)


class Silences(services.SilencesServicer):
    def __init__(self, backend):
        self.backend = backend

    def ListSilences(self, request, context):
        try:
            with self.backend.open() as kept:
                begin = int(request.page or 0)
                page = kept["silences"][begin : begin + PAGE]
                more = begin + PAGE < len(kept["silences"])
                return wire.ListSilencesReply(
                    silences=[listed(silence) for silence in page], next=str(begin + PAGE) if more else ""
                )
        except Refused as refused:
            return wire.ListSilencesReply(fault=refused.fault)

    def MatchAlerts(self, request, context):
        # There are no alerts here. A backend that has them counts them.
        return wire.MatchAlertsReply()


# From here on: what every plugin in Python needs.

COOKIE = ("REIN_PLUGIN", "9d3f6c1e5b0a4b7f8e2d7c4a1f6b3e58")
MAX_REPLY = 4 * 1024 * 1024


def serve(backend):
    if os.environ.get(COOKIE[0]) != COOKIE[1]:
        print(
            "this program is a plugin of Rein: a server starts it when a backend needs it. "
            "Name it in the server's configuration, under [plugins]",
            file=sys.stderr,
        )
        return 2
    path = os.path.join(os.environ["PLUGIN_UNIX_SOCKET_DIR"], "plugin.sock")
    server = grpc.server(
        concurrent.futures.ThreadPoolExecutor(max_workers=16),
        options=[("grpc.max_receive_message_length", MAX_REPLY), ("grpc.max_send_message_length", MAX_REPLY)],
    )
    services.add_PluginServicer_to_server(Plugin(backend), server)
    services.add_CellsServicer_to_server(Cells(backend), server)
    services.add_SilencesServicer_to_server(Silences(backend), server)
    # grpc.health.v1 says SERVING, which is field 1 with value 1: no package is needed for that.
    check = grpc.unary_unary_rpc_method_handler(lambda request, context: b"\x08\x01")
    health = grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": check})
    server.add_generic_rpc_handlers((health,))
    os.umask(0o077)
    server.add_insecure_port(f"unix:{path}")
    server.start()
    # One line, and nothing else on standard output, ever: logs belong on standard error.
    print(f"1|1|unix|{path}|grpc|", flush=True)
    # The server closes standard input when the plugin is to end.
    sys.stdin.buffer.read()
    server.stop(grace=1).wait()
    return 0


if __name__ == "__main__":
    sys.exit(serve(Backend()))

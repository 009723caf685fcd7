"""The line protocol that every client program of these tests speaks.

The only argument is a JSON object with the settings. Once the client is set up, one line
`{"ready": true}` goes out; from then on each line that comes in is a command, and each is answered
by one line:

    {"eval": FLAG, "key": TARGETING_KEY, "context": {...}}
        -> {"value": BOOL, "reason": TEXT, "variant": TEXT, "error": TEXT, "metadata": {...}}
    {"share": FLAG, "keys": N, "context": {...}}
        -> {"false": COUNT, "bits": "0110..."}    keys are user-0 to user-(N-1); 0 means false

The end of the input ends the program.
"""

import json
import sys


def settings():
    return json.loads(sys.argv[1])


def serve(evaluate):
    """Answers until the input ends. `evaluate(flag, key, context)` gives the answer to `eval`."""
    _say({"ready": True})
    for line in sys.stdin:
        command = json.loads(line)
        context = command.get("context") or {}
        if "eval" in command:
            _say(evaluate(command["eval"], command.get("key"), context))
        else:
            answers = [evaluate(command["share"], f"user-{n}", context) for n in range(command["keys"])]
            bits = "".join("1" if answer["value"] else "0" for answer in answers)
            _say({"false": bits.count("0"), "bits": bits})


def _say(answer):
    print(json.dumps(answer), flush=True)


def openfeature(default):
    """Evaluates through the OpenFeature provider that is set."""
    from openfeature import api
    from openfeature.evaluation_context import EvaluationContext

    client = api.get_client()

    def evaluate(flag, key, context):
        asked = EvaluationContext(targeting_key=key, attributes=context) if key or context else None
        details = client.get_boolean_details(flag, default, asked)
        error = details.error_code.value if details.error_code else None
        return {
            "value": details.value,
            "reason": str(details.reason.value if hasattr(details.reason, "value") else details.reason),
            "variant": details.variant,
            "error": error and f"{error}: {details.error_message}",
            "metadata": dict(details.flag_metadata or {}),
        }

    return evaluate

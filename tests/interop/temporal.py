"""Temporal's own SDK against the example: what it is let do, one JSON line for each step.

Arguments: the address of the program, the private key, the JWK Set with its public half, and what
`temporal-token cli-system-token` printed.
"""

import asyncio
import json
import os
import re
import sys
import time
import urllib.request

import jwt
import temporalio
from temporalio.api.operatorservice.v1 import request_response_pb2 as operator_messages
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, ListNamespacesRequest
from temporalio.api.workflowservice.v1 import request_response_pb2 as workflow_messages
from temporalio.client import Client
from temporalio.service import RPCError


def say(step, outcome):
    print(json.dumps({"step": step, "outcome": outcome}), flush=True)


async def outcome(awaitable):
    """Tells `ok`, or the status and the text of the rejection."""
    try:
        await awaitable
        return "ok"
    except RPCError as error:
        return f"{error.status.name}: {error.message}"
    except RuntimeError as error:
        # A client that cannot connect has the status in its text.
        found = re.search(r'code: (\w+), message: "([^"]*)"', str(error))
        return ": ".join(found.groups()) if found else str(error)


class Signer:
    def __init__(self, key_file, jwk_set):
        with open(key_file, encoding="ascii") as file:
            self.key = file.read()
        with urllib.request.urlopen(jwk_set, timeout=10) as response:
            self.key_id = json.load(response)["keys"][0]["kid"]

    def token(self, *permissions, lifetime=600):
        now = int(time.time())
        claims = {"sub": "sdk", "iat": now - 60, "exp": now + lifetime, "permissions": list(permissions)}
        return jwt.encode(claims, self.key, algorithm="ES256", headers={"kid": self.key_id})


def snake(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def calls(client):
    """Every method that the SDK has, with a request about the namespace `default`."""
    services = [("WorkflowService", client.workflow_service, workflow_messages)]
    services.append(("OperatorService", client.operator_service, operator_messages))
    for service, methods, messages in services:
        for message, descriptor in messages.DESCRIPTOR.message_types_by_name.items():
            name = message.removesuffix("Request")
            method = getattr(methods, snake(name), None)
            if name == message or method is None:
                continue
            request = getattr(messages, message)()
            field = descriptor.fields_by_name.get("namespace")
            if field is not None:
                request.namespace = "default"
            yield f"{service}/{name}", field.number if field is not None else 0, method, request


async def walk(client, signer):
    """Asks for each method as an admin of the namespace, of another one, and of the system."""
    tokens = {
        name: {"authorization": "Bearer " + signer.token(permission)}
        for name, permission in [
            ("own", "default:admin"),
            ("other", "other:admin"),
            ("system", "temporal-system:admin"),
        ]
    }
    for name, number, method, request in calls(client):
        verdicts = {}
        for who, metadata in tokens.items():
            verdicts[who] = await outcome(method(request, metadata=metadata))
        say(f"method {name} {number}", verdicts)


async def main(address, key_file, jwk_set, system_token):
    print(json.dumps({"library": "temporalio", "version": temporalio.__version__}), flush=True)
    signer = Signer(key_file, jwk_set)
    client = await Client.connect(address)
    say("connect without a token", "ok")
    describe = lambda: client.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace="default")
    )
    start = lambda: client.start_workflow("Greet", "you", id="greeting", task_queue="greetings")
    namespaces = lambda: client.workflow_service.list_namespaces(ListNamespacesRequest())

    say("describe without a token", await outcome(describe()))
    for who, token in [
        ("reader", signer.token("default:read")),
        ("worker", signer.token("default:worker")),
        ("writer", signer.token("default:write")),
        ("expired", signer.token("default:write", lifetime=-1)),
        ("renewed", signer.token("default:write")),
        ("elsewhere", signer.token("other:admin")),
    ]:
        # The same client goes on with another token.
        client.rpc_metadata = {"authorization": "Bearer " + token}
        say(f"describe as {who}", await outcome(describe()))
        say(f"start as {who}", await outcome(start()))
    client.rpc_metadata = {"authorization": system_token}
    say("namespaces with the system token", await outcome(namespaces()))
    client.rpc_metadata = {}
    client.api_key = signer.token("default:admin")
    say("start with an API key", await outcome(start()))
    say("namespaces with an API key", await outcome(namespaces()))
    client.api_key = None
    bad = Client.connect(address, rpc_metadata={"authorization": "Bearer a.b.c"})
    say("connect with a bad token", await outcome(bad))
    await walk(client, signer)


asyncio.run(main(*sys.argv[1:]))
# The SDK's threads abort the interpreter where it ends under them.
os._exit(0)

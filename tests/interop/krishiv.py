"""A client of Krishiv's coordinator: grpcio, with tokens that PyJWT has minted.

It says its versions and its keys, reads one line with an address and calls, makes them all, and says
what each ended with: a status, and the text that came with it.
"""

import json
import sys
import time
import urllib.error
import urllib.request
from importlib.metadata import version

import grpc
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

AUDIENCE = "krishiv"
SERVICE = "/krishiv.coordinator.v1.Coordinator/"

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
STRANGER = ec.generate_private_key(ec.SECP256R1())


def public(algorithm, key, kid):
    jwk = algorithm.to_jwk(key.public_key(), as_dict=True)
    # Without `alg`: the key's type says which it may be for.
    return {key: value for key, value in jwk.items() if key != "key_ops"} | {"kid": kid, "use": "sig"}


def token(key=EC_KEY, alg="ES256", kid="ec", without=(), **claims):
    now = int(time.time())
    usual = {"iss": "https://idp.example", "sub": "alice", "aud": AUDIENCE, "iat": now, "exp": now + 600}
    claims = {name: value for name, value in (usual | claims).items() if name not in without}
    headers = {"kid": kid} if kid else None
    return jwt.encode(claims, key, algorithm=alg, headers=headers)


def tokens():
    now = int(time.time())
    return {
        "reader": token(krishiv_role="reader"),
        "writer": token(krishiv_role="writer"),
        "admin": token(krishiv_role="admin"),
        "highestOfList": token(**{"https://krishiv/roles": ["reader", "writer", "staff"]}),
        "groups": token(groups=["staff", "admin"]),
        "noRole": token(),
        "adminBySubject": token(sub="admin:alice"),
        "RS256": token(RSA_KEY, "RS256", "rsa"),
        "PS384": token(RSA_KEY, "PS384", "rsa"),
        "ES256": token(OTHER_EC_KEY, "ES256", "other"),
        "EdDSA": token(ED_KEY, "EdDSA", "ed"),
        "noKid": token(OTHER_EC_KEY, kid=None),
        "expired": token(krishiv_role="admin", exp=now - 120),
        "notYet": token(krishiv_role="admin", nbf=now + 120),
        "otherAudience": token(krishiv_role="admin", aud="other"),
        "noAudience": token(krishiv_role="admin", without=("aud",)),
        "stranger": token(STRANGER, krishiv_role="admin"),
        "HS256": token("a secret of thirty-two bytes or more", "HS256", krishiv_role="admin"),
        "none": token(None, "none", krishiv_role="admin"),
        "numberForRole": token(krishiv_role=2),
    }


def call(channel, method, bearer):
    metadata = [("authorization", f"Bearer {bearer}")] if bearer else []
    stub = channel.unary_unary(SERVICE + method, lambda message: message, lambda message: message)
    try:
        answer = stub(b"", metadata=metadata, timeout=30)
        return ["OK" if answer == b"" else "NOT EMPTY", ""]
    except grpc.RpcError as error:
        return [error.code().name, error.details()]


def fetch(address, method, path, bearer):
    headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
    request = urllib.request.Request(f"http://{address}{path}", method=method, headers=headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as answer:
            return [str(answer.status), ""]
    except urllib.error.HTTPError as error:
        return [str(error.code), error.read().decode()]


def main():
    ec_algorithm, ed_algorithm = jwt.algorithms.ECAlgorithm, jwt.algorithms.OKPAlgorithm
    keys = [
        public(jwt.algorithms.RSAAlgorithm, RSA_KEY, "rsa"),
        public(ec_algorithm, EC_KEY, "ec"),
        public(ec_algorithm, OTHER_EC_KEY, "other"),
        public(ed_algorithm, ED_KEY, "ed"),
    ]
    versions = {name: version(name) for name in ["grpcio", "PyJWT"]}
    print(json.dumps(versions | {"jwks": {"keys": keys}}), flush=True)
    plan = json.loads(sys.stdin.readline())
    minted = tokens()
    # Proxies are for other machines.
    options = [("grpc.enable_http_proxy", 0)]
    with grpc.insecure_channel(plan["address"], options) as channel:
        verdicts = []
        for name, what in plan["calls"]:
            bearer = minted.get(name, name)
            if " " in what:
                method, path = what.split(" ", 1)
                verdicts.append(fetch(plan["address"], method, path, bearer))
            else:
                verdicts.append(call(channel, what, bearer))
    print(json.dumps(verdicts), flush=True)


main()

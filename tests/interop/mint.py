"""Mints one token per algorithm with PyJWT and with joserfc, one JSON object a line.

A token of an asymmetric algorithm comes with the public JWK, one of an HMAC algorithm with the
secret in base64url. Every library ends with the list of the algorithms that it does not offer.
"""

import base64
import importlib.metadata
import json
import secrets
import sys
import time
import uuid
import warnings

import jwt as pyjwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc import jwk as joserfc_jwk
from joserfc import jws as joserfc_jws
from joserfc import jwt as joserfc_jwt

RSA = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
CURVES = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}
JOSERFC_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
EDWARDS = ["EdDSA", "Ed25519"]
SECRET_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
ALGORITHMS = [*RSA, *CURVES, *EDWARDS, *SECRET_BYTES]


def emit(line):
    print(json.dumps(line, separators=(",", ":")))


def base64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def claims():
    now = int(time.time())
    return {
        "iss": "https://interop.example",
        "sub": "alice",
        "aud": ["interop"],
        "iat": now,
        "exp": now + 3600,
        "jti": str(uuid.uuid4()),
        "client_id": "web",
        "scope": "orders:read orders:write",
        "roles": ["admin"],
        "note": "grüße 🎟",
    }


def mint_all(library, offered, mint):
    """Mints with every algorithm that the library offers; `mint` returns a token and its key."""
    version = importlib.metadata.version(library)
    for alg in ALGORITHMS:
        if alg in offered:
            token, key = mint(alg, f"{library}-{alg}")
            emit({"library": library, "version": version, "alg": alg, "token": token, **key})
    skipped = [alg for alg in ALGORITHMS if alg not in offered]
    emit({"library": library, "version": version, "skipped": skipped})


def mint_pyjwt(alg, kid):
    if alg in SECRET_BYTES:
        secret = secrets.token_bytes(SECRET_BYTES[alg])
        return pyjwt.encode(claims(), secret, algorithm=alg), {"secret": base64url(secret)}
    if alg in RSA:
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    elif alg in CURVES:
        private = ec.generate_private_key(CURVES[alg]())
    else:
        private = ed25519.Ed25519PrivateKey.generate()
    token = pyjwt.encode(claims(), private, algorithm=alg, headers={"kid": kid})
    algorithm = pyjwt.get_algorithm_by_name(alg)
    public = algorithm.to_jwk(private.public_key(), as_dict=True)
    return token, {"jwk": {**public, "kid": kid, "alg": alg}}


def mint_joserfc(alg, kid):
    if alg in SECRET_BYTES:
        secret = secrets.token_bytes(SECRET_BYTES[alg])
        key = joserfc_jwk.OctKey.import_key(secret)
        token = joserfc_jwt.encode({"alg": alg}, claims(), key, algorithms=[alg])
        return token, {"secret": base64url(secret)}
    if alg in RSA:
        key = joserfc_jwk.RSAKey.generate_key(2048, private=True)
    elif alg in JOSERFC_CURVES:
        key = joserfc_jwk.ECKey.generate_key(JOSERFC_CURVES[alg], private=True)
    else:
        key = joserfc_jwk.OKPKey.generate_key("Ed25519", private=True)
    token = joserfc_jwt.encode({"alg": alg, "kid": kid}, claims(), key, algorithms=[alg])
    return token, {"jwk": {**key.as_dict(private=False), "kid": kid, "alg": alg}}


def main():
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    # joserfc warns of the name EdDSA, which RFC 9864 deprecates. Issuers use it, so it is minted.
    warnings.filterwarnings("ignore", message="EdDSA is deprecated")
    mint_all("PyJWT", pyjwt.algorithms.get_default_algorithms(), mint_pyjwt)
    mint_all("joserfc", joserfc_jws.JWSRegistry.algorithms, mint_joserfc)


main()

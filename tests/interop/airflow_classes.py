"""Airflow's own classes, for the test of the example `airflow`.

Reads one command in JSON from each line of standard input, and writes its result as one line of JSON. The settings are
Airflow's environment variables, which the example reads too.
"""

import json
import sys
from datetime import datetime, timezone

from airflow import settings
from airflow.api_fastapi.auth.tokens import (
    JWTGenerator,
    JWTValidator,
    get_sig_validation_args,
    get_signing_args,
    key_to_jwk_dict,
)
from airflow.models.revoked_token import RevokedToken


def generate(audience, claims, lifetime=600):
    return JWTGenerator(**get_signing_args(), audience=audience, valid_for=lifetime).generate(claims)


def validate(audience, token):
    try:
        validator = JWTValidator(**get_sig_validation_args(), audience=audience, leeway=10)
        return {"claims": validator.validated_claims(token)}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def jwks():
    return {"keys": [key_to_jwk_dict(get_signing_args()["private_key"])]}


def create_table():
    RevokedToken.__table__.create(settings.engine)


def revoke(jti, exp):
    RevokedToken.revoke(jti, datetime.fromtimestamp(exp, tz=timezone.utc))


def is_revoked(jti):
    return RevokedToken.is_revoked(jti)


def expiry(jti):
    """The time that the model reads, which fails for text that SQLAlchemy cannot read."""
    with settings.Session() as session:
        return int(session.get(RevokedToken, jti).exp.timestamp())


def main():
    settings.configure_orm()
    # Airflow logs to standard output.
    output, sys.stdout = sys.stdout, sys.stderr
    commands = [generate, validate, jwks, create_table, revoke, is_revoked, expiry]
    commands = {command.__name__: command for command in commands}
    for line in sys.stdin:
        command = json.loads(line)
        result = commands[command.pop("command")](**command)
        print(json.dumps(result), file=output, flush=True)


main()

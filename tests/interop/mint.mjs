// Mints one token per algorithm with jose, fast-jwt and jsonwebtoken, one JSON object a line.
//
// A token of an asymmetric algorithm comes with the public JWK, one of an HMAC algorithm with the
// secret in base64url. Every library ends with the list of the algorithms that it does not offer.

import { generateKeyPairSync, randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";

import fastJwt from "fast-jwt";
import * as jose from "jose";
import jsonwebtoken from "jsonwebtoken";

const RSA = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
const CURVES = { ES256: "P-256", ES384: "P-384", ES512: "P-521" };
const EDWARDS = ["EdDSA", "Ed25519"];
const SECRET_BYTES = { HS256: 32, HS384: 48, HS512: 64 };
const ALGORITHMS = [...RSA, ...Object.keys(CURVES), ...EDWARDS, ...Object.keys(SECRET_BYTES)];

const LIBRARIES = [
  {
    library: "jose",
    mint: mintJose,
    isUnsupported: (error) => error instanceof jose.errors.JOSENotSupported,
  },
  {
    library: "fast-jwt",
    mint: mintFastJwt,
    isUnsupported: (error) => error.message.startsWith("The algorithm option must be one of"),
  },
  {
    library: "jsonwebtoken",
    mint: mintJsonwebtoken,
    isUnsupported: (error) => error.message === '"algorithm" must be a valid string enum value',
  },
];

function emit(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function versionOf(library) {
  const manifest = new URL(`node_modules/${library}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(manifest, "utf8")).version;
}

function claims() {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: "https://interop.example",
    sub: "alice",
    aud: ["interop"],
    iat: now,
    exp: now + 3600,
    jti: randomUUID(),
    client_id: "web",
    scope: "orders:read orders:write",
    roles: ["admin"],
    note: "grüße 🎟",
  };
}

function generateKeys(alg) {
  if (alg in SECRET_BYTES) {
    const secret = randomBytes(SECRET_BYTES[alg]);
    return { privateKey: secret, shown: { secret: secret.toString("base64url") } };
  }
  let pair;
  if (RSA.includes(alg)) {
    pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
  } else if (alg in CURVES) {
    pair = generateKeyPairSync("ec", { namedCurve: CURVES[alg] });
  } else {
    pair = generateKeyPairSync("ed25519");
  }
  return { privateKey: pair.privateKey, shown: { jwk: pair.publicKey.export({ format: "jwk" }) } };
}

function header(alg, kid) {
  return alg in SECRET_BYTES ? { alg } : { alg, kid };
}

async function mintJose(alg, kid, key) {
  return new jose.SignJWT(claims()).setProtectedHeader(header(alg, kid)).sign(key);
}

async function mintFastJwt(alg, kid, key) {
  // The library takes a secret as bytes and any other key as PEM.
  const pem = alg in SECRET_BYTES ? key : key.export({ format: "pem", type: "pkcs8" });
  return fastJwt.createSigner({ algorithm: alg, key: pem, header: header(alg, kid) })(claims());
}

async function mintJsonwebtoken(alg, kid, key) {
  return jsonwebtoken.sign(claims(), key, { algorithm: alg, header: header(alg, kid) });
}

for (const { library, mint, isUnsupported } of LIBRARIES) {
  const version = versionOf(library);
  const skipped = [];
  for (const alg of ALGORITHMS) {
    const kid = `${library}-${alg}`;
    const { privateKey, shown } = generateKeys(alg);
    let token;
    try {
      token = await mint(alg, kid, privateKey);
    } catch (error) {
      if (!isUnsupported(error)) {
        throw error;
      }
      skipped.push(alg);
      continue;
    }
    const key = shown.jwk ? { jwk: { ...shown.jwk, kid, alg } } : shown;
    emit({ library, version, alg, token, ...key });
  }
  emit({ library, version, skipped });
}

// Signs tokens for the Windmill example with fast-jwt, as Windmill's own documentation does: claims of
// an external JWT, signed with RS256, behind the prefix `jwt_ext_`.
//
// On standard output comes one JSON object: `publicKey`, a PEM; `jwks`, a JWK Set; and `tokens`, by name.

import { generateKeyPairSync } from "node:crypto";

import { createSigner } from "fast-jwt";

function keyPair(type, options) {
  const pair = generateKeyPairSync(type, options);
  return {
    pem: pair.privateKey.export({ format: "pem", type: "pkcs8" }),
    publicKey: pair.publicKey,
  };
}

const rsa = () => keyPair("rsa", { modulusLength: 2048 });
const single = rsa();
const stranger = rsa();
const set = {
  RS256: rsa(),
  ES256: keyPair("ec", { namedCurve: "P-256" }),
  EdDSA: keyPair("ed25519"),
};

const claims = {
  email: "alice@example.com",
  username: "alice",
  is_admin: false,
  is_operator: false,
  groups: ["all"],
  folders: [["team", true, false]],
  workspace_id: "demo",
};

function sign(options, changes = {}) {
  const signer = createSigner({ expiresIn: 3600 * 1000, ...options });
  return `jwt_ext_${signer({ ...claims, ...changes })}`;
}

const single256 = { algorithm: "RS256", key: single.pem };
const now = Math.floor(Date.now() / 1000);
const tokens = {
  single: sign(single256),
  workspaces: sign(single256, { workspace_id: undefined, workspace_ids: ["other", "demo"] }),
  scoped: sign(single256, { scopes: ["jobs:run:scripts:f/team/*"] }),
  expired: sign({ ...single256, clockTimestamp: (now - 7200) * 1000 }),
  stranger: sign({ algorithm: "RS256", key: stranger.pem }),
  otherAlgorithm: sign({ algorithm: "RS384", key: single.pem }),
  unknownKid: sign({ algorithm: "RS256", key: set.RS256.pem, kid: "unknown" }),
  noKid: sign({ algorithm: "RS256", key: set.RS256.pem }),
};
for (const [algorithm, { pem }] of Object.entries(set)) {
  tokens[algorithm] = sign({ algorithm, key: pem, kid: algorithm });
}

process.stdout.write(
  JSON.stringify({
    publicKey: single.publicKey.export({ format: "pem", type: "spki" }),
    jwks: {
      keys: Object.entries(set).map(([alg, { publicKey }]) => ({
        ...publicKey.export({ format: "jwk" }),
        kid: alg,
        alg,
        use: "sig",
      })),
    },
    tokens,
  }),
);

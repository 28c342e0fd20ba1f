// Runs oidc-provider, an OpenID provider that we did not write, as an issuer whose keys rotate.
//
// It listens on a free port of 127.0.0.1, over plain http. A token comes from POST /token with
// `grant_type=client_credentials`, `client_id`, `client_secret`, `resource` and, if wanted, `scope`.
// There is one client for each algorithm: `rs256`, `ps256`, `es256` and `eddsa`, each with the secret
// `interop-secret`, sent in the body. The client `a:b %+` has the secret `p:q %+/&=`, sent in the field
// `Authorization`. The command `client ID ALG JWK` adds one that signs assertions (private_key_jwt). Their
// access tokens are signed with ES256. The resources are `https://api.interop.example` and what the
// arguments name, their scopes are `orders:read` and `orders:write`, and their access tokens are JWTs
// (RFC 9068) that live for an hour. Without a `resource` the access token is no JWT.
//
// The first line on standard output is `listening on http://127.0.0.1:PORT`, which ends in the
// issuer. Then each line on standard input is a command, answered in one line once it has taken
// effect. A key id is the client and a count, such as `rs256-2`:
//
//   rotate  new keys sign, the old ones stay published    rotated KID KID KID KID (the new ones)
//   retire  the old keys are published no more            retired KID… (what was dropped, if anything)
//   down    every request ends in a closed connection     down
//   up      requests are answered again                   up
//   client ID ALG JWK                                     client ID
//           adds a client that authenticates with assertions, verified with this public key
//   logout CLIENT SUB SID URI                             logged out STATUS
//           sends a logout token to the back channel of a client; a SID of `-` is left out
//   quit    the process ends with success, as it does when standard input ends; no answer
//
// Any other line ends the process with a failure. What the library has to say goes to standard error.

import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

import Provider, { errors } from "oidc-provider";

const RESOURCES = ["https://api.interop.example", ...process.argv.slice(2)];
const SCOPE = "orders:read orders:write";
const SECRET = "interop-secret";
const LIFETIME = 3600;
const ALGORITHMS = { rs256: "RS256", ps256: "PS256", es256: "ES256", eddsa: "EdDSA" };

const CLIENTS = [
  ...Object.keys(ALGORITHMS).map((client) => ({
    client_id: client,
    client_secret: SECRET,
    token_endpoint_auth_method: "client_secret_post",
  })),
  {
    client_id: "a:b %+",
    client_secret: "p:q %+/&=",
    token_endpoint_auth_method: "client_secret_basic",
  },
];

// The library tells some of its notices this way, and standard output is for answers alone.
console.info = console.error;

function generateKeys(generation) {
  return Object.entries(ALGORITHMS).map(([client, alg]) => {
    const jwk = generatePair(alg).privateKey.export({ format: "jwk" });
    return { ...jwk, kid: `${client}-${generation}`, alg, use: "sig" };
  });
}

function generatePair(alg) {
  switch (alg) {
    case "ES256":
      return generateKeyPairSync("ec", { namedCurve: "P-256" });
    case "EdDSA":
      return generateKeyPairSync("ed25519");
    default:
      return generateKeyPairSync("rsa", { modulusLength: 2048 });
  }
}

function resourceServer(_context, resource, client) {
  if (!RESOURCES.includes(resource)) {
    throw new errors.InvalidTarget();
  }
  return {
    audience: resource,
    scope: SCOPE,
    accessTokenFormat: "jwt",
    accessTokenTTL: LIFETIME,
    jwt: { sign: { alg: ALGORITHMS[client.clientId] ?? "ES256" } },
  };
}

// The library signs with the first key that fits.
function handlerWith(keys) {
  provider = new Provider(issuer, {
    jwks: { keys },
    clients: [...CLIENTS, ...added].map((client) => ({
      grant_types: ["client_credentials"],
      response_types: [],
      redirect_uris: [],
      scope: SCOPE,
      ...client,
    })),
    scopes: SCOPE.split(" "),
    clientAuthMethods: ["client_secret_basic", "client_secret_post", "private_key_jwt"],
    // The library connects to no service on this machine, which is where the tests are.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
    features: {
      backchannelLogout: { enabled: true },
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: { enabled: true, getResourceServerInfo: resourceServer },
    },
  });
  provider.on("server_error", (_context, error) => console.error(error));
  return provider.callback();
}

const idsOf = (keys) => keys.map((key) => key.kid);
const say = (...words) => process.stdout.write(`${words.join(" ")}\n`);

const added = [];
let handler;
let provider;
let isDown = false;
const server = createServer((request, response) => {
  if (isDown) {
    request.socket.destroy();
  } else {
    handler(request, response);
  }
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

// The library takes its keys at construction, so that each change makes another provider.
let generation = 1;
let current = generateKeys(generation);
let old = [];
handler = handlerWith(current);
say("listening on", issuer);

const COMMANDS = {
  rotate() {
    generation += 1;
    old = [...current, ...old];
    current = generateKeys(generation);
    handler = handlerWith([...current, ...old]);
    say("rotated", ...idsOf(current));
  },
  retire() {
    const dropped = old;
    old = [];
    handler = handlerWith(current);
    say("retired", ...idsOf(dropped));
  },
  down() {
    isDown = true;
    say("down");
  },
  up() {
    isDown = false;
    say("up");
  },
  client(id, alg, jwk) {
    added.push({
      client_id: id,
      jwks: { keys: [JSON.parse(jwk)] },
      token_endpoint_auth_method: "private_key_jwt",
      token_endpoint_auth_signing_alg: alg,
    });
    handler = handlerWith([...current, ...old]);
    say("client", id);
  },
  async logout(id, subject, session, uri) {
    const client = await provider.Client.find(id);
    client.backchannelLogoutUri = uri;
    client.backchannelLogoutSessionRequired = session !== "-";
    try {
      await client.backchannelLogout(subject, session);
      say("logged out 200");
    } catch (error) {
      console.error(error);
      say("logged out", error.response?.status);
    }
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...words] = line.trim().split(" ");
  if (command === "quit") {
    break;
  }
  if (!Object.hasOwn(COMMANDS, command)) {
    throw new Error(`unknown command: ${command}`);
  }
  await COMMANDS[command](...words);
}
process.exit();

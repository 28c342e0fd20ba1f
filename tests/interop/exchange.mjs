// Exchanges tokens (RFC 8693) with oauth4webapi, and reports what happened.
//
// First it prints a line: the public JWK of a key, by which the client `signed` authenticates. Then it reads a line
// of JSON on standard input:
//
//   issuer   the issuer of the authorization server: the audience of client assertions
//   secrets  the URL of a token endpoint for clients with a secret
//   signed   the URL of a token endpoint for clients with a key
//   clients  for each client its secret
//   calls    a list of exchanges: `name`, `client`, `method` (`basic`, `post`, `jwt`), `parameters` as pairs, and a
//            `grantType` if it is not that of token exchange
//
// On standard output comes one JSON object: for each name `token` (the response), or `error` (the OAuth error with its
// status, and `challenges` if the response had any). A failure, and anything that takes longer than half a minute, ends
// the process with a failure.

import { createInterface } from "node:readline";
import * as oauth from "oauth4webapi";

const GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange";

setTimeout(() => {
  throw new Error("not finished after half a minute");
}, 30_000).unref();

const { privateKey, publicKey } = await oauth.generateKeyPair("ES256");
console.log(JSON.stringify(await crypto.subtle.exportKey("jwk", publicKey)));
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const settings = JSON.parse((await lines.next()).value);

function authentication({ client, method, secret = settings.clients[client] }) {
  switch (method) {
    case "basic":
      return oauth.ClientSecretBasic(secret);
    case "post":
      return oauth.ClientSecretPost(secret);
    case "jwt":
      return oauth.PrivateKeyJwt(privateKey);
    default:
      throw new Error(method);
  }
}

async function exchange(call) {
  const endpoint = call.method === "jwt" ? settings.signed : settings.secrets;
  const server = { issuer: settings.issuer, token_endpoint: endpoint };
  const client = { client_id: call.client };
  const response = await oauth.genericTokenEndpointRequest(
    server,
    client,
    authentication(call),
    call.grantType ?? GRANT_TYPE,
    new URLSearchParams(call.parameters),
    { [oauth.allowInsecureRequests]: true },
  );
  try {
    return { token: await oauth.processGenericTokenEndpointResponse(server, client, response) };
  } catch (error) {
    if (error instanceof oauth.ResponseBodyError) {
      return { status: error.status, error: error.error, description: error.error_description };
    }
    if (error instanceof oauth.WWWAuthenticateChallengeError) {
      return { status: error.status, challenges: error.cause };
    }
    throw error;
  }
}

const report = {};
for (const call of settings.calls) {
  report[call.name] = await exchange(call);
}
console.log(JSON.stringify(report));
process.exit();

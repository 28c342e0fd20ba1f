// Finds its way into an MCP server with the official TypeScript SDK, and tells what happened.
//
// The arguments are the URL of the server, whose paths other than its own hold its metadata, and the
// ids of clients of its authorization server, each with the secret `interop-secret`. On standard
// output comes one JSON object:
//
//   challenge     what a request without a token is told, as the SDK reads it
//   metadata      the protected resource metadata that the challenge leads to
//   discovered    the same, found from the URL of the server alone
//   issuer        of the authorization server that the metadata name, from its own metadata
//   insufficient  what a token without the scope `orders:write` is told
//   spoiled       what a token with another signature is told
//   elsewhere     what a token for another resource is told
//   limited       what the SDK says when its token lacks that scope, and the statuses it has seen
//   clients       for each client the names of the tools, what the tool `whoami` says, the same asked by
//                 the first client in the session of this one, and the statuses
//
// A failure, and anything that takes longer than half a minute, ends the process with a failure.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import {
  discoverAuthorizationServerMetadata,
  discoverOAuthProtectedResourceMetadata,
  extractResourceMetadataUrl,
  extractWWWAuthenticateParams,
  fetchToken,
} from "@modelcontextprotocol/sdk/client/auth.js";
import { ClientCredentialsProvider } from "@modelcontextprotocol/sdk/client/auth-extensions.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const SECRET = "interop-secret";
const SCOPE = "orders:read orders:write";
const ELSEWHERE = "https://api.interop.example";

const [server, ...clientIds] = process.argv.slice(2);
setTimeout(() => {
  throw new Error("still at it after half a minute");
}, 30_000).unref();

function credentials(clientId, scope) {
  return new ClientCredentialsProvider({
    clientId,
    clientSecret: SECRET,
    scope,
    expectedIssuer: report.issuer,
  });
}

async function tokenFor(resource, scope) {
  const provider = credentials(clientIds[0], scope);
  const tokens = await fetchToken(provider, report.issuer, { metadata: authorizationServer, resource });
  return tokens.access_token;
}

function spoil(token) {
  const [header, payload, signature] = token.split(".");
  return [header, payload, signature.split("").reverse().join("")].join(".");
}

function post(token, headers, method, params) {
  return fetch(server, {
    method: "POST",
    headers: {
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
      ...(token && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1000, method, params }),
  });
}

// What the SDK reads in the response to a bare request.
async function told(token) {
  const response = await post(token, {}, "tools/list");
  await response.body?.cancel();
  const { resourceMetadataUrl, scope, error } = extractWWWAuthenticateParams(response);
  if (extractResourceMetadataUrl(response)?.href !== resourceMetadataUrl?.href) {
    throw new Error("the SDK reads two URLs in one challenge");
  }
  return { status: response.status, url: resourceMetadataUrl?.href, scope, error };
}

// Asks who the caller is, with this token in a session that another client has opened.
async function borrowed(token, transport) {
  const headers = {
    "mcp-session-id": transport.sessionId,
    "mcp-protocol-version": transport.protocolVersion,
  };
  const response = await post(token, headers, "tools/call", { name: "whoami", arguments: {} });
  const events = (await response.text()).split("\n").filter((line) => line.startsWith("data: {"));
  return { status: response.status, content: JSON.parse(events[0].slice(6)).result.content };
}

// Connects with nothing but the URL and what a client has of its own, and notes the statuses.
async function session(clientId, scope, use) {
  const statuses = [];
  const transport = new StreamableHTTPClientTransport(new URL(server), {
    authProvider: credentials(clientId, scope),
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      if (String(url) === server) {
        statuses.push(response.status);
      }
      return response;
    },
  });
  const client = new Client({ name: "interop", version: "1.0.0" });
  try {
    await client.connect(transport);
    return { ...(await use(client, transport)), statuses };
  } catch (error) {
    return { error: error.message, statuses };
  } finally {
    await client.close();
  }
}

const report = {};
report.challenge = await told();
report.metadata = await discoverOAuthProtectedResourceMetadata(server, {
  resourceMetadataUrl: report.challenge.url,
});
report.discovered = await discoverOAuthProtectedResourceMetadata(server);
const authorizationServer = await discoverAuthorizationServerMetadata(
  report.metadata.authorization_servers[0],
);
report.issuer = authorizationServer.issuer;
const { resource } = report.metadata;
report.insufficient = await told(await tokenFor(resource, "orders:read"));
report.spoiled = await told(spoil(await tokenFor(resource, SCOPE)));
report.elsewhere = await told(await tokenFor(ELSEWHERE, SCOPE));
report.limited = await session(clientIds[0], "orders:read", () => ({}));
const firstToken = await tokenFor(resource, SCOPE);
report.clients = {};
for (const clientId of clientIds) {
  report.clients[clientId] = await session(clientId, SCOPE, async (client, transport) => {
    const { tools } = await client.listTools();
    const { content } = await client.callTool({ name: "whoami", arguments: {} });
    const inSession = await borrowed(firstToken, transport);
    await transport.terminateSession();
    return { tools: tools.map((tool) => tool.name), content, borrowed: inSession };
  });
}
console.log(JSON.stringify(report));
process.exit();

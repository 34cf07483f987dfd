// The Cosmos DB shim: @vercel/cosmosdb-server over TLS, with what the service does differently mended.
// usage: node server.js PORT CERT_FILE KEY_FILE
"use strict";

const crypto = require("crypto");
const fs = require("fs");
const https = require("https");

require("./documents").install();
const Account = require("@vercel/cosmosdb-server/lib/account").default;
const findRoute = require("@vercel/cosmosdb-server/lib/routes").default;
const { handleDocuments } = require("./handlers");

const MAX_BODY_BYTES = 2 * 1024 * 1024; // https://learn.microsoft.com/azure/cosmos-db/concepts-limits
const DOCUMENTS = /^\/+dbs\/([^/]+)\/colls\/([^/]+)\/docs(?:\/([^/]+))?\/*$/;
const COLLECTION = /^\/+dbs\/([^/]+)\/colls\/([^/]+)\/*$/;

function isAuthorized(request) {
  return /^type=(master|aad)&ver=1\.0&sig=./.test(decodeURIComponent(request.headers.authorization ?? ""));
}

async function readBody(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

// The library reads the stream again with raw-body: give it one that holds the same bytes.
function replayed(request, body) {
  const { Readable } = require("stream");
  const stream = Readable.from([body], { objectMode: false });
  return Object.assign(stream, { method: request.method, url: request.url, headers: request.headers });
}

async function runLibrary(account, request, response, body) {
  const route = findRoute(request);
  if (!route) return [400, { code: "BadRequest", message: "no route" }];
  const [params, handler] = route;
  const answer = await handler(account, replayed(request, body), response, params);
  return [response.statusCode, answer];
}

async function replaceCollection(account, request, response, body, [database, collection]) {
  const { documents } = account.database(database).collection(collection);
  const answer = await runLibrary(account, request, response, body);
  const replaced = account.database(database).collection(collection);
  if (answer[0] === 200) replaced.documents = documents.adoptedBy(replaced);
  return answer;
}

async function answer(account, request, response) {
  const body = await readBody(request);
  if (!isAuthorized(request)) return [401, { code: "Unauthorized", message: "Required Header authorization is missing." }];
  if (body.length > MAX_BODY_BYTES) return [413, { code: "RequestEntityTooLarge", message: "Request size is too large" }];
  const path = request.url.split("?")[0];
  const documents = DOCUMENTS.exec(path)?.slice(1).map((part) => part && decodeURIComponent(part));
  if (documents) {
    const handled = await handleDocuments(account, request, response, body, documents);
    return handled ?? runLibrary(account, request, response, body);
  }
  const collection = COLLECTION.exec(path)?.slice(1).map(decodeURIComponent);
  if (collection && request.method === "PUT") return replaceCollection(account, request, response, body, collection);
  return runLibrary(account, request, response, body);
}

// An estimate from the published figures (1 RU reads 1 KB, a 1 KB write is about 5.5, a query starts near 2.3): good for
// comparing designs, not for a bill.
function requestCharge(request, bytes) {
  const kilobytes = Math.max(1, bytes / 1024);
  if (request.method === "GET") return kilobytes;
  if (request.headers["content-type"] === "application/query+json") return 2.3 + kilobytes * 0.5;
  return 5.5 * Math.max(1, kilobytes * 0.7);
}

function send(request, response, status, body) {
  const text = body === undefined || status === 204 ? "" : JSON.stringify(body);
  const isFeed = request.headers["a-im"] && status === 200;
  const etag = isFeed ? "1" : body?._etag;
  if (etag) response.setHeader("etag", etag);
  response.setHeader("content-type", "application/json");
  response.setHeader("x-ms-activity-id", crypto.randomUUID());
  response.setHeader("x-ms-request-charge", requestCharge(request, text.length).toFixed(2));
  // The change feed answers once with everything, then "not modified": as the library's own server does.
  response.statusCode = isFeed && request.headers["if-none-match"] ? 304 : status;
  response.end(response.statusCode === 304 ? "" : text);
}

async function handle(account, request, response) {
  try {
    const [status, body] = await answer(account, request, response);
    send(request, response, status, status > 399 ? { code: String(status), message: "", ...body } : body);
  } catch (error) {
    console.error(`${request.method} ${request.url}:`, error);
    send(request, response, 500, { code: "InternalServerError", message: error.message });
  }
}

function main([port, certificate, key]) {
  const tls = { cert: fs.readFileSync(certificate), key: fs.readFileSync(key), keepAlive: true };
  let account;
  const server = https.createServer(tls, (request, response) => handle(account, request, response));
  server.keepAliveTimeout = 120_000; // longer than aiohttp keeps an idle connection, so that no request meets a closing one
  server.on("error", (error) => {
    console.error(`cosmos: ${error.message}`);
    process.exit(1);
  });
  server.listen(Number(port), "127.0.0.1", () => {
    account = new Account("127.0.0.1", server.address().port);
    console.log(`ready: https://127.0.0.1:${server.address().port}`);
  });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));
}

main(process.argv.slice(2));

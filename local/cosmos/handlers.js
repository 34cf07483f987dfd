// The document requests that are answered here; all others go to @vercel/cosmosdb-server as they are.
"use strict";

const { SyntaxError: QuerySyntaxError } = require("@zeit/cosmosdb-query");
const operations = require("@vercel/cosmosdb-server/lib/handler/_document-operations");
const { patchOperation } = require("@vercel/cosmosdb-server/lib/handler/_patch-operations");

const MAX_BATCH_OPERATIONS = 100; // https://learn.microsoft.com/azure/cosmos-db/nosql/transactional-batch
const NOT_FOUND = [404, { code: "NotFound", message: "Entity with the specified id does not exist in the system." }];
const RUN = {
  Create: operations.createOperation,
  Upsert: operations.upsertOperation,
  Read: operations.readOperation,
  Delete: operations.deleteOperation,
  Replace: operations.replaceOperation,
  Patch: (collection, input) => patchOperation(collection, { ...input, ...input.resourceBody }),
};

function partitionHeader(request) {
  const header = request.headers["x-ms-documentdb-partitionkey"];
  return header === undefined || header === "[{}]" ? undefined : JSON.parse(header)[0];
}

function isQuery(request) {
  return request.headers["content-type"] === "application/query+json" || request.headers["x-ms-documentdb-isquery"] === "True";
}

function read(collection, request, id) {
  const document = collection.document(id, partitionHeader(request)).read();
  if (!document) return NOT_FOUND;
  return request.headers["if-none-match"] === document._etag ? [304, undefined] : [200, document];
}

function paging(request) {
  const continuation = request.headers["x-ms-continuation"];
  const maxItemCount = Number(request.headers["x-ms-max-item-count"] ?? 100); // the service's own default
  return { maxItemCount, continuation: continuation ? JSON.parse(continuation) : null };
}

function query(collection, request, response, body) {
  try {
    const page = collection.documents.queryPartition(JSON.parse(body), partitionHeader(request), paging(request));
    if (page.continuation) response.setHeader("x-ms-continuation", JSON.stringify(page.continuation));
    response.setHeader("x-ms-item-count", String(page.result.length));
    return [200, { _rid: collection.read()._rid, Documents: page.result, _count: page.result.length }];
  } catch (error) {
    if (!(error instanceof QuerySyntaxError)) console.error(body.toString(), error);
    return [400, { code: "BadRequest", message: error.message }];
  }
}

function batchResult({ statusCode, body }) {
  if (statusCode >= 400) return { statusCode, requestCharge: 0 };
  return { statusCode, requestCharge: 1, eTag: body?._etag, resourceBody: body };
}

// All or nothing: the operations before and after a failed one answer 424, and nothing stays written.
function batch(collection, request, body) {
  const inputs = JSON.parse(body);
  if (!Array.isArray(inputs) || inputs.length > MAX_BATCH_OPERATIONS || inputs.some((input) => !RUN[input?.operationType])) {
    return [400, { code: "BadRequest", message: "A batch is a list of at most 100 known operations." }];
  }
  const partitionKey = request.headers["x-ms-documentdb-partitionkey"];
  const before = collection.documents.snapshot();
  const results = [];
  for (const input of inputs) {
    const result = RUN[input.operationType](collection, { ...input, partitionKey });
    results.push(batchResult(result));
    if (result.statusCode >= 400) {
      collection.documents.restore(before);
      return [207, inputs.map((_, index) => (index === results.length - 1 ? results[index] : { statusCode: 424, requestCharge: 0 }))];
    }
  }
  return [200, results];
}

exports.handleDocuments = (account, request, response, body, [database, container, id]) => {
  const collection = account.database(database).collection(container);
  if (!collection.read()) return NOT_FOUND;
  if (id !== undefined) return request.method === "GET" ? read(collection, request, id) : undefined;
  if (request.method !== "POST") return undefined;
  if (isQuery(request)) return query(collection, request, response, body);
  return request.headers["x-ms-cosmos-is-batch-request"] === "True" ? batch(collection, request, body) : undefined;
};

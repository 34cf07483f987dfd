// What @vercel/cosmosdb-server's documents lack: partitions, time to live, a stable order and an undo.
"use strict";

const CosmosQuery = require("@zeit/cosmosdb-query");
const documentsModule = require("@vercel/cosmosdb-server/lib/account/documents");

// The engine's grammar has no OFFSET ... LIMIT; Cosmos DB allows it only at the very end.
const OFFSET_LIMIT = /\bOFFSET\s+(@\w+|\d+)\s+LIMIT\s+(@\w+|\d+)\s*$/i;

// The code that the engine makes of a query copies its list once a document: quadratic, and 10,000 documents feel it.
const QUADRATIC = /\$c\.reduce\(\(\$, (\w+)\) => typeof \1 !== "undefined" \? \[\.\.\.\$, \{\s*\1: \1\s*\}\] : \$, \[\]\)/;

class Documents extends documentsModule.default {
  constructor(...args) {
    super(...args);
    this._partitions = new Map(); // partition key value -> Map of _rid -> document
    this._replacing = false;
  }

  // Ordered by creation, because the engine's continuation tokens compare _rid with "<".
  _rid(number) {
    return `${this._parent.read()._rid}${String(number).padStart(12, "0")}`;
  }

  _set(data) {
    const document = super._set(data);
    const partition = this._getPartition(data);
    if (!this._partitions.has(partition)) this._partitions.set(partition, new Map());
    this._partitions.get(partition).set(data._rid, data);
    return document;
  }

  // A replace is delete + set in the base class; here the document keeps its place, or paging would skip others.
  replace(data, original) {
    this._replacing = true;
    try {
      return super.replace(data, original);
    } finally {
      this._replacing = false;
    }
  }

  delete(id, partition) {
    if (this._replacing) return;
    const document = this._item("/id", id, partition).read();
    super.delete(id, partition);
    const key = this._getPartition(document);
    this._partitions.get(key).delete(document._rid);
    if (this._partitions.get(key).size === 0) this._partitions.delete(key);
  }

  _item(keyPath, value, partition) {
    const item = super._item(keyPath, value, partition);
    const document = item.read();
    if (!document || !this.isExpired(document)) return item;
    this._forget(document);
    return this._newItem();
  }

  _forget(document) {
    const partition = this._getPartition(document);
    for (const path of this._uniqueKeyPaths) {
      const value = path.slice(1).split("/").reduce((part, key) => (part ?? {})[key], document);
      this._index.delete(this._getId(path, value, partition));
    }
    this._data.delete(document._rid);
    this._partitions.get(partition)?.delete(document._rid);
  }

  // https://learn.microsoft.com/azure/cosmos-db/nosql/time-to-live: an item's ttl counts only where the container has one.
  isExpired(document) {
    const containerTtl = this._parent.read()?.defaultTtl;
    if (containerTtl === undefined || containerTtl === null) return false;
    const ttl = document.ttl ?? containerTtl;
    return ttl !== -1 && document._ts + ttl <= Date.now() / 1000;
  }

  _live(partition) {
    const documents =
      partition === undefined
        ? [...this._data.values()].map((item) => item.read())
        : [...(this._partitions.get(partition)?.values() ?? [])];
    const expired = documents.filter((document) => this.isExpired(document));
    expired.forEach((document) => this._forget(document));
    return expired.length ? documents.filter((document) => !this.isExpired(document)) : documents;
  }

  // `partition` undefined: the whole container.
  queryPartition({ query, parameters }, partition, paging) {
    const match = OFFSET_LIMIT.exec(query);
    if (!match) return this._execute(query, parameters, partition, paging);
    const [offset, limit] = match.slice(1).map((word) => this._number(word, parameters));
    const { result } = this._execute(query.slice(0, match.index), parameters, partition, {});
    return { result: result.slice(offset, offset + limit), continuation: null };
  }

  _number(word, parameters) {
    const number = word.startsWith("@") ? parameters.find(({ name }) => name === word)?.value : Number(word);
    if (Number.isInteger(number)) return number;
    throw new CosmosQuery.SyntaxError(`OFFSET and LIMIT need whole numbers, not ${word}`);
  }

  _execute(query, parameters, partition, { maxItemCount, continuation }) {
    return this._getQuery(query).exec(this._live(partition), {
      parameters,
      udf: this._userDefinedFunctions(),
      maxItemCount,
      continuation,
      compositeIndexes: this._parent.read().indexingPolicy?.compositeIndexes ?? [],
    });
  }

  _getQuery(sql) {
    const query = super._getQuery(sql);
    query._code = query.code.replace(QUADRATIC, "$c.map(($1) => ({ $1 }))");
    return query;
  }

  snapshot() {
    const partitions = new Map([...this._partitions].map(([key, documents]) => [key, new Map(documents)]));
    return { _data: new Map(this._data), _index: new Map(this._index), _partitions: partitions };
  }

  restore(snapshot) {
    Object.assign(this, snapshot);
  }

  // The base class makes a replaced container anew and loses its documents.
  adoptedBy(collection) {
    this._parent = collection;
    return this;
  }
}

exports.install = () => {
  documentsModule.default = Documents; // lib/account/collection.js looks it up at each construction
};

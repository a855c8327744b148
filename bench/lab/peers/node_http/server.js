// Node's http module: a primary that forks as many workers as there are to be threads,
// as the cluster documentation shows. A worker's counters are told to the primary,
// so that whichever worker is asked answers for all.
'use strict';

const cluster = require('node:cluster');
const http = require('node:http');
const { PerformanceObserver } = require('node:perf_hooks');

const BODY_SIZE_MAX = 64 * 1024;
const ITEM_COUNT = 48;

function makeDocument() {
  const items = [];
  for (let id = 1; id <= ITEM_COUNT; id++) {
    items.push({
      id,
      name: `item ${id}`,
      price_minor: id * 137,
      currency: 'EUR',
      in_stock: id % 2 === 1,
    });
  }
  return { message: 'Hello', items };
}

function reply(response, contentType, body) {
  response.writeHead(200, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

function echo(request, response) {
  const chunks = [];
  let size = 0;
  request.on('data', (chunk) => {
    size += chunk.length;
    if (size > BODY_SIZE_MAX) {
      response.writeHead(413, { Connection: 'close' });
      response.end();
      request.destroy();
      return;
    }
    chunks.push(chunk);
  });
  request.on('end', () => reply(response, request.headers['content-type'] ?? 'application/octet-stream',
    Buffer.concat(chunks)));
}

// Asks the primary, which sums up what its workers last told it.
let waiting = [];

function statsPage(request, response) {
  waiting.push(response);
  tellPauses();
  process.send({ ask: true });
}

const pauses = { collections: 0, pause_ns_max: 0, pause_ns_total: 0 };

function tellPauses() {
  process.send({ pauses });
}

function work(port) {
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const ns = Math.round(entry.duration * 1e6);
      pauses.collections += 1;
      pauses.pause_ns_total += ns;
      pauses.pause_ns_max = Math.max(pauses.pause_ns_max, ns);
    }
    tellPauses();
  }).observe({ entryTypes: ['gc'] });
  process.on('message', (message) => {
    const answered = waiting;
    waiting = [];
    for (const response of answered) {
      reply(response, 'application/json', JSON.stringify(message.sum));
    }
  });
  const server = http.createServer({ keepAliveTimeout: 600000, requestTimeout: 0 }, (request, response) => {
    if (request.method === 'GET' && request.url === '/') {
      reply(response, 'text/plain', 'Hello');
    } else if (request.method === 'GET' && request.url === '/json') {
      reply(response, 'application/json', JSON.stringify(makeDocument()));
    } else if (request.method === 'POST' && request.url === '/echo') {
      echo(request, response);
    } else if (request.url === '/lab/stats') {
      statsPage(request, response);
    } else {
      response.writeHead(404, { 'Content-Type': 'text/plain' });
      response.end('Not found');
    }
  });
  server.listen({ port, host: '127.0.0.1', backlog: 4096 });
}

function lead(workerCount) {
  const told = new Map();
  for (let index = 0; index < workerCount; index++) {
    cluster.fork();
  }
  cluster.on('message', (worker, message) => {
    if (message.pauses) {
      told.set(worker.id, message.pauses);
      return;
    }
    // V8 does not count allocations; a collection may free many at once.
    const sum = { mallocs: null, frees: null, collections: 0, pause_ns_max: 0, pause_ns_total: 0, pause_ns_p99: null };
    for (const one of told.values()) {
      sum.collections += one.collections;
      sum.pause_ns_total += one.pause_ns_total;
      sum.pause_ns_max = Math.max(sum.pause_ns_max, one.pause_ns_max);
    }
    worker.send({ sum });
  });
  process.on('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers)) {
      worker.kill('SIGKILL');
    }
    process.exit(0);
  });
}

if (cluster.isPrimary) {
  if (process.argv.length !== 4) {
    console.error('usage: server.js PORT THREADS');
    process.exit(2);
  }
  lead(Number(process.argv[3]));
} else {
  work(Number(process.argv[2]));
}

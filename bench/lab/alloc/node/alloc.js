// What allocation costs in Node: a Buffer in place of another, 8,192 live. There is no free: the
// collector takes its time from whoever allocates. The clock is process.hrtime.bigint(), the finest
// there is; the timer's row says how coarse that is.
//
// The trace and the figures are those of bench/alloc (see its trace.c).
'use strict';

const fs = require('node:fs');
const { PerformanceObserver } = require('node:perf_hooks');

const LIVE_COUNT = 8192;
const DOUBLING_COUNT = 9;
const MASK = (1n << 64n) - 1n;

let state;

function below(limit) {
  state ^= state >> 12n;
  state = (state ^ (state << 25n)) & MASK;
  state ^= state >> 27n;
  return Number((((state * 2685821657736338717n) & MASK) >> 32n) * BigInt(limit) >> 32n);
}

function sizeOf(fixed) {
  if (fixed > 0) {
    return fixed;
  }
  const size = 16 << below(DOUBLING_COUNT);
  return size + 1 + below(size);
}

function take(size) {
  const bytes = Buffer.allocUnsafe(size);
  bytes[0] = 1;
  bytes[size - 1] = 1;
  return bytes;
}

function timed(slotOf, sizes, slots, seen) {
  for (let index = 0; index < slotOf.length; index++) {
    slots[slotOf[index]] = null;
    const started = process.hrtime.bigint();
    const bytes = Buffer.allocUnsafe(sizes[index]);
    seen[index] = Number(process.hrtime.bigint() - started);
    bytes[0] = 1;
    slots[slotOf[index]] = bytes;
  }
}

// Readings in tenths of a nanosecond, for the lab to look at.
function dump(path, readings) {
  fs.writeFileSync(path, Uint32Array.from(readings, (ns) => ns * 10));
}

function faults() {
  const text = fs.readFileSync('/proc/self/stat', 'utf8');
  return Number(text.slice(text.lastIndexOf(')') + 1).trim().split(' ')[7]);
}

let collections = 0;
new PerformanceObserver((list) => {
  collections += list.getEntries().length;
}).observe({ entryTypes: ['gc'] });

async function measure(fixed, opCount, folder) {
  state = 0x9e3779b97f4a7c15n;
  const slots = [];
  for (let index = 0; index < LIVE_COUNT; index++) {
    slots.push(take(sizeOf(fixed)));
  }
  const slotOf = new Int32Array(opCount);
  const sizes = new Int32Array(opCount);
  for (let index = 0; index < opCount; index++) {
    slotOf[index] = below(LIVE_COUNT);
    sizes[index] = sizeOf(fixed);
  }
  const seen = new Float64Array(opCount).fill(1);
  const timer = new Float64Array(opCount);
  for (let index = 0; index < opCount; index++) {
    const started = process.hrtime.bigint();
    timer[index] = Number(process.hrtime.bigint() - started);
  }
  timed(slotOf, sizes, slots, seen); // For the compiler.
  await new Promise(setImmediate);
  const collectionsBefore = collections;
  const faultsBefore = faults();
  timed(slotOf, sizes, slots, seen);
  const faultsAfter = faults();
  const loop = process.hrtime.bigint();
  for (let index = 0; index < opCount; index++) {
    slots[slotOf[index]] = take(sizes[index]);
  }
  const mean = Number(process.hrtime.bigint() - loop) / opCount;
  await new Promise(setImmediate);
  dump(`${folder}/timer`, timer);
  dump(`${folder}/take`, seen);
  console.log(JSON.stringify({
    mean_ns: mean, failures: 0, minor_faults: faultsAfter - faultsBefore,
    collections: collections - collectionsBefore,
  }));
}

function exhaust() {
  const held = [];
  try {
    for (;;) {
      held.push(take(1024));
    }
  } catch (error) {
    console.log(JSON.stringify({ refused_after: held.length, error: String(error) }));
  }
}

const [, , what, size, opCount, folder] = process.argv;
if (what === 'exhaust') {
  exhaust();
} else if (what === 'Node' && folder) {
  measure(Number(size), Number(opCount), folder);
} else {
  console.error('usage: alloc.js Node SIZE OPERATIONS FOLDER | exhaust');
  process.exit(2);
}

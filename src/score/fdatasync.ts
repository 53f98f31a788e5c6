import { closeSync, fdatasyncSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Benchmark } from './benchmark.ts';
import { quantileOf } from './spread.ts';

/** PostgreSQL's page of its log, and the size of one of its log files. */
const PAGE = Buffer.alloc(8 * 1024, 1);
const FILE_BYTES = 16 * 2 ** 20;
/** Of which percentiles are taken, also where a disk takes long. */
const LEAST = 40;
const MOST_MS = 10_000;

/**
 * How long a page of 8 kB takes to reach the disk, p50 and p95 in ms: written over a file that has its full size
 * already, as PostgreSQL writes its log at a commit.
 */
export const fdatasync: Benchmark = async ({ folder, measureMs }) => {
  const file = openSync(join(folder, 'fdatasync'), 'w', 0o600);
  try {
    for (let at = 0; at < FILE_BYTES; at += PAGE.length) writeSync(file, PAGE, 0, PAGE.length, at);
    fsyncSync(file);
    const times: number[] = [];
    const start = performance.now();
    for (let now = start; now - start < measureMs || times.length < LEAST; ) {
      if (now - start > MOST_MS) break;
      writeSync(file, PAGE, 0, PAGE.length, (times.length * PAGE.length) % FILE_BYTES);
      fdatasyncSync(file);
      const end = performance.now();
      times.push(end - now);
      now = end;
    }
    return { fdatasyncP50: quantileOf(times, 0.5), fdatasyncP95: quantileOf(times, 0.95) };
  } finally {
    closeSync(file);
  }
};

import { createWriteStream, statSync } from 'node:fs';

/** Limits the log of one child process in the run's folder. */
const LOG_LIMIT_BYTES = 8 * 2 ** 20;
const TAIL_BYTES = 16 * 2 ** 10;

/**
 * Opens a log that keeps its first `limit` bytes, then a note that it was cut, and the last lines at the end. It appends
 * to the log of an earlier process of the same name, whose bytes count, too.
 */
export function openLogFile(path: string, limit = LOG_LIMIT_BYTES) {
  const file = createWriteStream(path, { flags: 'a', mode: 0o600 });
  let failed = false;
  // A full disk does not end the run here: a component that cannot write reports that itself.
  file.on('error', () => {
    failed = true;
  });
  const closed = new Promise<void>((resolve) => {
    file.once('close', resolve);
  });
  let written = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  let tail = Buffer.alloc(0);
  let ended = false;
  const lastLines = (lines: number): string => {
    const text = tail.toString('utf8').trimEnd().split('\n');
    return text.slice(-lines).join('\n');
  };
  return {
    path,
    write(chunk: Buffer) {
      if (ended) return;
      tail = Buffer.concat([tail, chunk]);
      // The buffer is cut only at twice its size, so that not every line copies it.
      if (tail.length > 2 * TAIL_BYTES) tail = Buffer.from(tail.subarray(tail.length - TAIL_BYTES));
      if (failed || written >= limit) return;
      const kept = chunk.subarray(0, limit - written);
      written += kept.length;
      file.write(kept);
      if (written >= limit) file.write(`\n-- cut by capbench after ${limit} bytes --\n`);
    },
    /** At most `lines` last lines. */
    tail: lastLines,
    /** Resolves when the file is written and closed. */
    end() {
      if (!ended && written >= limit && !failed) file.write(`-- the last lines --\n${lastLines(50)}\n`);
      ended = true;
      file.end();
      return closed;
    },
  };
}

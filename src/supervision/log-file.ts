import { createWriteStream, statSync } from 'node:fs';

/** What one child process may write into the run's folder. */
const LOG_LIMIT_BYTES = 8 * 2 ** 20;
const TAIL_BYTES = 16 * 2 ** 10;

/**
 * Opens a log that keeps its first `limit` bytes, says that it was cut, and adds the last lines at the end. What a
 * process of the same name wrote before it stays, and counts.
 */
export function openLogFile(path: string, limit = LOG_LIMIT_BYTES) {
  const file = createWriteStream(path, { flags: 'a', mode: 0o600 });
  let failed = false;
  // A full disk must not take the run with it: the component that cannot write says so itself.
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
      // Not on every line: the buffer is cut back when it has grown to twice its size.
      if (tail.length > 2 * TAIL_BYTES) tail = Buffer.from(tail.subarray(tail.length - TAIL_BYTES));
      if (failed || written >= limit) return;
      const kept = chunk.subarray(0, limit - written);
      written += kept.length;
      file.write(kept);
      if (written >= limit) file.write(`\n-- cut by capbench after ${limit} bytes --\n`);
    },
    /** The last lines, at most `lines` of them. */
    tail: lastLines,
    /** Resolves when the file is on its way to the disk and closed. */
    end() {
      if (!ended && written >= limit && !failed) file.write(`-- the last lines --\n${lastLines(50)}\n`);
      ended = true;
      file.end();
      return closed;
    },
  };
}

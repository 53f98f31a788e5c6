import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import { messageOf, stackFailed } from '../../errors.ts';
import { isRecord, parseJson } from '../json.ts';

/** One sample of k6's JSON output. */
export interface K6Sample {
  readonly metric: string;
  /** The wall clock's milliseconds. */
  readonly at: number;
  readonly value: number;
}

const END = '{"capbench":"end"}';
/** Only of our own metrics is anything read: k6 has many more. */
const OURS = '"capbench_';

/**
 * A named pipe into which k6 writes its samples while it runs: nothing of them stays on the disk, however long the
 * run is. It is held open from both ends here, so that it has no end of its own; `drain` writes one.
 */
export class SamplePipe {
  readonly path: string;
  private readonly socket: Socket;
  private rest = '';
  private readonly ended: Promise<void>;

  private constructor(path: string, onSample: (sample: K6Sample) => void) {
    this.path = path;
    const descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    try {
      this.socket = new Socket({ fd: descriptor, readable: true, writable: false });
    } catch (thrown) {
      closeSync(descriptor);
      throw thrown;
    }
    this.socket.on('error', () => {});
    this.ended = new Promise((resolve) => {
      this.socket.on('close', () => resolve());
      this.socket.on('data', (chunk: Buffer) => {
        const lines = (this.rest + chunk.toString('latin1')).split('\n');
        this.rest = lines.pop() ?? '';
        for (const line of lines) {
          if (line === END) resolve();
          else if (line.includes(OURS)) {
            const sample = sampleIn(line);
            if (sample !== null) onSample(sample);
          }
        }
      });
    });
  }

  /** @throws CapbenchError (93) when the host makes no such pipe */
  static async open(path: string, onSample: (sample: K6Sample) => void): Promise<SamplePipe> {
    try {
      await promisify(execFile)('mkfifo', ['-m', '600', path], { env: { PATH: '/usr/bin:/bin' } });
      return new SamplePipe(path, onSample);
    } catch (thrown) {
      throw stackFailed(
        `the pipe for k6's samples cannot be made: ${messageOf(thrown)}`,
        'see whether mkfifo is there (coreutils), and whether TMPDIR is on a file system that has named pipes',
        thrown,
      );
    }
  }

  /** Whoever wrote is gone: resolves when all that it wrote has been told. */
  async drain(): Promise<void> {
    // A line that was cut short ends before this one.
    await appendFile(this.path, `\n${END}\n`);
    await this.ended;
  }

  close(): void {
    this.socket.destroy();
  }
}

/** `{"metric":"..","type":"Point","data":{"time":"..","value":1,"tags":{..}}}`; null for any other line. */
export function sampleIn(line: string): K6Sample | null {
  const message = parseJson(line);
  if (!isRecord(message) || message.type !== 'Point' || typeof message.metric !== 'string') return null;
  const { data } = message;
  if (!isRecord(data) || typeof data.time !== 'string' || typeof data.value !== 'number') return null;
  const at = Date.parse(data.time);
  return Number.isFinite(at) ? { metric: message.metric, at, value: data.value } : null;
}

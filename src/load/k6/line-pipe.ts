import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import { messageOf, stackFailed } from '../../errors.ts';

const END = '{"capbench":"end"}';

/**
 * A named pipe into which k6 writes the lines of its script while it runs: nothing of them stays on the disk, however long
 * the run is. It is held open from both ends here, so that it has no end of its own; `drain` writes one.
 */
export class LinePipe {
  readonly path: string;
  private readonly socket: Socket;
  private rest = '';
  private readonly ended: Promise<void>;

  private constructor(path: string, onLine: (line: string) => void) {
    this.path = path;
    const descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    try {
      this.socket = new Socket({ fd: descriptor, readable: true, writable: false });
    } catch (thrown) {
      closeSync(descriptor);
      throw thrown;
    }
    this.socket.on('error', () => {});
    this.socket.setEncoding('utf8');
    this.ended = new Promise((resolve) => {
      this.socket.on('close', () => resolve());
      this.socket.on('data', (chunk: string) => {
        const lines = (this.rest + chunk).split('\n');
        this.rest = lines.pop() ?? '';
        for (const line of lines) {
          if (line === END) resolve();
          else onLine(line);
        }
      });
    });
  }

  /** @throws CapbenchError (93) when the host makes no such pipe */
  static async open(path: string, onLine: (line: string) => void): Promise<LinePipe> {
    try {
      await promisify(execFile)('mkfifo', ['-m', '600', path], { env: { PATH: '/usr/bin:/bin' } });
      return new LinePipe(path, onLine);
    } catch (thrown) {
      throw stackFailed(
        `the pipe for the reports of k6's virtual users cannot be made: ${messageOf(thrown)}`,
        'check that mkfifo is installed (coreutils), and that TMPDIR is on a file system that has named pipes',
        thrown,
      );
    }
  }

  /** The writer has ended: resolves when all that it wrote has been read. */
  async drain(): Promise<void> {
    // A line that was cut short ends before this one.
    await appendFile(this.path, `\n${END}\n`);
    await this.ended;
  }

  close(): void {
    this.socket.destroy();
  }
}

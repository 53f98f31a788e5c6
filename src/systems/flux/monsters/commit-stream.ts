import { WebSocket } from 'ws';
import type { Reachable } from '../../../address/access.ts';
import {
  type Cause,
  ConnectionRefused,
  causeOfClose,
  causeOfError,
  sentenceOf,
  unexplained,
} from '../../../address/connection-cause.ts';
import { frameBytes } from '../../../load/frame-bytes.ts';
import { isRecord, parseJson } from '../../../load/json.ts';
import { MOST_NUMBER } from '../../../load/ledger.ts';
import { CONNECT_TIMEOUT_MS, onRefusal, openSocket, socketUrl } from '../../../load/player/socket.ts';

/** Large, since the welcome may have a number for each monster of the server. */
const MOST_PAYLOAD = 32 * 1024 * 1024;

/** Receives commits. */
export interface CommitListener {
  committed(post: number, ok: number, rejected: number): void;
  /** The connection was lost, or violated the protocol; called once. */
  commitsLost(message: string): void;
}

/** The stream of a world server's commits for one generator. */
class CommitStream {
  bytesIn = 0;
  private readonly socket: WebSocket;
  private closing = false;

  constructor(socket: WebSocket) {
    this.socket = socket;
  }

  /** Call this in the same turn in which openCommitStream resolves, so that no message is missed. */
  listen(listener: CommitListener): void {
    let lost = false;
    const lose = (message: string): void => {
      if (lost || this.closing) return;
      lost = true;
      this.socket.terminate();
      listener.commitsLost(message);
    };
    this.socket.on('error', (error) => lose(sentenceOf(causeOfError(error))));
    this.socket.on('close', (code, reason) =>
      lose(`the server closed it: ${sentenceOf(causeOfClose(code, reason.toString()))}`),
    );
    if (this.socket.readyState !== WebSocket.OPEN) setImmediate(lose, 'closed right after the welcome');
    this.socket.on('message', (data) => {
      if (lost || !Buffer.isBuffer(data)) return;
      this.bytesIn += frameBytes(data.length);
      const message = parseJson(data.toString());
      const commits = isRecord(message) ? message.commits : undefined;
      if (!Array.isArray(commits)) return lose('a frame violates the protocol');
      for (const commit of commits) {
        if (!isNumbers(commit)) return lose('a frame violates the protocol');
        const [post, ok, rejected] = commit;
        if (post === undefined || ok === undefined || rejected === undefined) {
          return lose('a frame violates the protocol');
        }
        listener.committed(post, ok, rejected);
      }
    });
  }

  /** Closes with a close frame, or at once. */
  end(atOnce: boolean): void {
    this.closing = true;
    this.socket.on('error', () => {});
    if (atOnce) this.socket.terminate();
    else this.socket.close(1000);
  }
}

/**
 * Opens a commit stream; `lastSequences` are the last numbers of the server's monsters in the order of ids, null when none is
 * used.
 * @throws an Error with the reason why the server refused
 */
export function openCommitStream(
  end: Reachable,
  generator: string,
): Promise<{ commits: CommitStream; lastSequences: readonly number[] | null }> {
  const path = `/commits?generator=${encodeURIComponent(generator)}`;
  const socket = openSocket(socketUrl(end.url, path), null, MOST_PAYLOAD, end);
  return new Promise((resolve, reject) => {
    const fail = (cause: Cause): void => {
      clearTimeout(timer);
      socket.removeAllListeners();
      socket.on('error', () => {});
      socket.terminate();
      reject(new ConnectionRefused(`${end.url}/commits`, cause));
    };
    const timer = setTimeout(
      () => fail(unexplained(`no welcome within ${CONNECT_TIMEOUT_MS / 1e3} s`)),
      CONNECT_TIMEOUT_MS,
    );
    onRefusal(socket, fail);
    socket.on('close', (code, reason) => {
      const cause = causeOfClose(code, reason.toString());
      fail({ ...cause, what: `closed before the welcome (${cause.what})` });
    });
    socket.on('message', (data) => {
      const message = parseJson(data.toString());
      const welcome = isRecord(message) ? message.welcome : undefined;
      if (!isRecord(welcome)) return fail(unexplained('the first frame was not a welcome'));
      const { lastSeq } = welcome;
      const used = lastSeq ?? null;
      if (used !== null && !(isNumbers(used) && used.every((number) => number <= MOST_NUMBER))) {
        return fail(unexplained('the welcome holds no sequence numbers'));
      }
      clearTimeout(timer);
      socket.removeAllListeners();
      socket.on('error', () => {});
      resolve({ commits: new CommitStream(socket), lastSequences: used });
    });
  });
}

const isNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);

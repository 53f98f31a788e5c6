import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import WebSocket from 'ws';
import { eventually } from '../e2e/capbench.ts';

/** The browser of this host; undefined: there is none. */
export const browser = ['chromium', 'chromium-browser', 'google-chrome'].find((name) => {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});

/** Headless, and with no request of its own. */
export const QUIET = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--enable-logging=stderr'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
  '--no-first-run',
];

/** A tab that a test looks into while it is open. */
export interface Tab {
  open(url: string): Promise<void>;
  /** The value of an expression in the page; undefined while there is none. */
  read<T>(expression: string): Promise<T | undefined>;
  /** What the page logged as an error, and exceptions. */
  readonly errors: readonly string[];
  /** The addresses that it asked for. */
  readonly requests: readonly string[];
}

/** A tab of a browser of its own, over the DevTools protocol. */
export async function openTab(): Promise<Tab> {
  const folder = mkdtempSync(join(tmpdir(), 'capbench-browser-'));
  const child = spawn(
    browser ?? '',
    [...QUIET, '--remote-debugging-port=0', `--user-data-dir=${folder}`, 'about:blank'],
    { stdio: 'ignore', detached: true },
  );
  const ended = new Promise((resolve) => child.once('close', resolve));
  onTestFinished(async () => {
    // With all of its processes, which may still write to the folder for a moment.
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });
  const file = join(folder, 'DevToolsActivePort');
  const port = await eventually('the port of the browser', () =>
    existsSync(file) ? readFileSync(file, 'utf8').split('\n')[0] || null : null,
  );
  const tabs = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
    readonly type: string;
    readonly webSocketDebuggerUrl: string;
  }[];
  const socket = new WebSocket(tabs.find(({ type }) => type === 'page')?.webSocketDebuggerUrl ?? '');
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  onTestFinished(() => socket.terminate());
  const [errors, requests]: [string[], string[]] = [[], []];
  const waiting = new Map<number, (message: Message) => void>();
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as Message;
    const { id, method, params } = message;
    if (id !== undefined) waiting.get(id)?.(message);
    if (method === 'Network.requestWillBeSent') requests.push(params.request.url);
    const isError =
      method === 'Runtime.exceptionThrown' ||
      (method === 'Log.entryAdded' && params.entry.level === 'error') ||
      (method === 'Runtime.consoleAPICalled' && params.type === 'error');
    if (isError) errors.push(JSON.stringify(params));
  });
  const call = (method: string, params: object = {}): Promise<Message> =>
    new Promise((resolve) => {
      const id = waiting.size + 1;
      waiting.set(id, resolve);
      socket.send(JSON.stringify({ id, method, params }));
    });
  for (const domain of ['Runtime', 'Log', 'Network', 'Page']) await call(`${domain}.enable`);
  return {
    ...{ errors, requests },
    async open(url) {
      await call('Page.navigate', { url });
    },
    async read<T>(expression: string) {
      const { result } = await call('Runtime.evaluate', { expression, returnByValue: true });
      return result?.result.value as T | undefined;
    },
  };
}

/** As far as it is read here. */
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params: {
    readonly request: { readonly url: string };
    readonly entry: { readonly level: string };
    readonly type: string;
  };
  readonly result?: { readonly result: { readonly value?: unknown } };
}

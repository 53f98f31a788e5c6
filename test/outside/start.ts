import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { temporaryFolder } from '../temporary-folder.ts';

/** A server of this folder, which knows nothing of capbench. */
export interface Outside {
  readonly url: string;
  readonly pid: number;
  /** What it counted, by name; from its page of metrics. */
  counts(): Promise<Readonly<Record<string, number>>>;
}

type Environment = Readonly<Record<string, string>>;

/** Starts the command, which is ended by SIGTERM after the test; resolves to what it printed, once that matches. */
async function until(
  pattern: RegExp,
  [command = '', ...args]: readonly string[],
  env: Environment = {},
): Promise<{ readonly said: string; readonly pid: number }> {
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });
  let said = '';
  return new Promise((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      said += chunk;
      const [found] = pattern.exec(said) ?? [];
      if (found !== undefined) resolve({ said: found, pid: child.pid ?? 0 });
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    void ended.then(() => reject(new Error(`${command} ended: ${said}`)));
  });
}

/**
 * Where the instances of `mud` meet, as their REDIS_URL: a Redis that CAPBENCH_REDIS_BIN names or that is on PATH, else
 * `bus.mjs`.
 */
export async function redis(): Promise<string> {
  const named = process.env.CAPBENCH_REDIS_BIN;
  const [binary] = [
    ...(named === undefined ? [] : [named]),
    ...(process.env.PATH ?? '')
      .split(delimiter)
      .flatMap((folder) => ['redis-server', 'valkey-server'].map((name) => join(folder, name))),
  ].filter((path) => existsSync(path));
  if (binary === undefined) return (await outside('bus')).url;
  const folder = temporaryFolder();
  const socket = join(folder, 'redis.sock');
  const settings = ['--port', '0', '--unixsocket', socket, '--dir', folder, '--save', ''];
  await until(/ready to accept connections/i, [binary, ...settings]);
  return socket;
}

/** Starts `test/outside/<name>.mjs` on a port of its own. */
export async function outside(name: string, env: Environment = {}): Promise<Outside> {
  const file = join(import.meta.dirname, `${name}.mjs`);
  const { said, pid } = await until(/\w+:\/\/127\.0\.0\.1:\d+/, [process.execPath, file], {
    PORT: '0',
    ...env,
  });
  return {
    url: said,
    pid,
    async counts() {
      const page = await (await fetch(`${said}/metrics`)).text();
      return Object.fromEntries(
        [...page.matchAll(/^([a-z]+_\w+?)(?:_total)? (\d+)$/gm)].map(([, key = '', value]) => [
          key,
          Number(value),
        ]),
      );
    },
  };
}

import { resolve } from 'node:path';
import { badInput } from '../errors.ts';
import { PROCESS_NAME } from '../scenario/process-metric.ts';
import { repeatable } from './target-address.ts';

/**
 * A process under a target on this host: by its pid, by the port that it listens on, by its pid file, or as the component of a
 * stack that a command starts.
 */
export type ProcessAddress = { readonly name: string } & (
  | { readonly by: 'pid'; readonly pid: number }
  | { readonly by: 'port'; readonly port: number }
  | { readonly by: 'file'; readonly path: string }
  | { readonly by: 'component' }
);

const EXAMPLE =
  'such as api=:8080 (what listens on this port), api=4711 (a pid) or api=/run/api.pid (a pid file)';
const HIGHEST_PID = 2 ** 22;
const HIGHEST_PORT = 2 ** 16 - 1;

/** Parses `NAME=PID`, `NAME=:PORT` or `NAME=FILE`. `source`: the flag or the variable. Throws bad input (104). */
export function parseProcess(text: string, source: string, cwd: string): ProcessAddress {
  const wrong = (expected: string): Error =>
    badInput(`${source}: got ${repeatable(text)}, expected ${expected}`, EXAMPLE);
  const [, name = '', where = ''] = /^([^=]*)=(.*)$/.exec(text) ?? [];
  if (where === '') throw wrong('NAME=PID, NAME=:PORT or NAME=/path/to.pid');
  if (!PROCESS_NAME.test(name)) {
    throw wrong('a name that begins with a lower-case letter and has at most 32 of a-z, 0-9 and "-"');
  }
  const port = numberIn(/^:(\d{1,9})$/, where);
  if (port !== null) {
    if (port < 1 || port > HIGHEST_PORT) throw wrong(`a port of 1 to ${HIGHEST_PORT}`);
    return { name, by: 'port', port };
  }
  const pid = numberIn(/^(\d{1,9})$/, where);
  if (pid !== null) {
    if (pid < 2 || pid > HIGHEST_PID) throw wrong(`a pid of 2 to ${HIGHEST_PID}`);
    return { name, by: 'pid', pid };
  }
  if (!where.includes('/')) throw wrong('a pid, a port with ":" before it, or the path of a pid file');
  return { name, by: 'file', path: resolve(cwd, where) };
}

const numberIn = (pattern: RegExp, text: string): number | null => {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? null : Number(found);
};

/** For messages: `api (port 8080)`. */
export function shownProcess(at: ProcessAddress): string {
  if (at.by === 'component') return `${at.name} (of the start command)`;
  const where = { pid: 'pid', port: 'port', file: 'pid file' }[at.by];
  return `${at.name} (${where} ${at.by === 'pid' ? at.pid : at.by === 'port' ? at.port : at.path})`;
}

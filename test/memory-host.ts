import { join } from 'node:path';
import { EXIT, type ExitCode } from '../src/errors.ts';
import type { Host, StopSignal } from '../src/host.ts';
import { Redaction } from '../src/redaction.ts';
import type { TextKind } from '../src/secret-shapes.ts';
import { SYSTEMS } from '../src/systems/registry.ts';
import { withoutEscapes, withoutForeignEscapes } from '../src/terminal-escapes.ts';

/** A simulated process that keeps what a command wrote, and its exit code. */
export interface MemoryHost extends Host {
  readonly out: () => string;
  readonly err: () => string;
  readonly ended: () => ExitCode | null;
  /** Sends a stop signal to all listeners. */
  readonly signal: (signal: StopSignal) => void;
  /** Throws an error outside of any handler. */
  readonly crash: (thrown: unknown) => void;
}

export function memoryHost(
  argv: readonly string[],
  overrides: Partial<Pick<Host, 'env' | 'cwd' | 'root' | 'systems' | 'machine' | 'ask'>> = {},
): MemoryHost {
  const written = { out: '', err: '' };
  const listeners: ((signal: StopSignal) => void)[] = [];
  const crashListeners: ((thrown: unknown) => void)[] = [];
  let ended: ExitCode | null = null;
  const redaction = Redaction.of(argv, overrides.env ?? {});
  const output = (to: 'out' | 'err', place: TextKind) => ({
    write(text: string) {
      written[to] += redaction.text(withoutEscapes(text), place);
    },
    paint(text: string) {
      written[to] += redaction.text(withoutForeignEscapes(text), place);
    },
    isTTY: false,
    columns: 80,
  });
  const root = join(import.meta.dirname, '..');
  return {
    argv,
    env: {},
    cwd: root,
    root,
    version: '9.9.9',
    systems: async () => SYSTEMS,
    redaction,
    stdout: output('out', 'document'),
    stderr: output('err', 'text'),
    machine: {
      platform: 'linux',
      arch: 'x64',
      node: 'v22.12.0',
      cpus: 2,
      memoryBytes: 8 * 2 ** 30,
      uid: 1000,
      tmp: '/tmp',
      pid: 1,
    },
    ask: async () => null,
    exitCode: EXIT.pass,
    onSignal(listener) {
      listeners.push(listener);
      return () => void listeners.splice(listeners.indexOf(listener), 1);
    },
    onCrash(listener) {
      crashListeners.push(listener);
      return () => void crashListeners.splice(crashListeners.indexOf(listener), 1);
    },
    exit(code) {
      ended = code;
    },
    ...overrides,
    out: () => written.out,
    err: () => written.err,
    ended: () => ended,
    signal: (signal) => {
      listeners.at(-1)?.(signal);
    },
    crash: (thrown) => {
      crashListeners.at(-1)?.(thrown);
    },
  };
}

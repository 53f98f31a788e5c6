/** Scripts rely on these codes. They are k6's where the meaning is the same. */
export const EXIT = {
  pass: 0,
  bug: 1,
  invalid: 90,
  regression: 91,
  dataLost: 92,
  stackFailed: 93,
  breached: 99,
  badInput: 104,
  interrupted: 105,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** An error that a user can act on: what happened and where, what to do next, and the exit code. */
export class CapbenchError extends Error {
  override readonly name = 'CapbenchError';
  readonly exitCode: ExitCode;
  readonly hint: string | undefined;

  constructor(exitCode: ExitCode, message: string, hint?: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
    this.hint = hint;
  }
}

export const badInput = (message: string, hint?: string) => new CapbenchError(EXIT.badInput, message, hint);
export const stackFailed = (message: string, hint?: string, cause?: unknown) =>
  new CapbenchError(EXIT.stackFailed, message, hint, { cause });
/** What makes the load has ended, or was never reached: it says nothing of what is under load. */
export class GeneratorFailed extends CapbenchError {}
export const generatorFailed = (message: string, hint?: string, cause?: unknown) =>
  new GeneratorFailed(EXIT.stackFailed, message, hint, { cause });
export const interrupted = (message: string) => new CapbenchError(EXIT.interrupted, message);

/** A message for anything that was thrown, including values that are no Error and an AggregateError without a message. */
export const messageOf = (thrown: unknown): string => {
  if (!(thrown instanceof Error)) return String(thrown);
  if (thrown instanceof AggregateError && thrown.message === '') {
    return thrown.errors.map(messageOf).join('; ');
  }
  return thrown.message;
};

/** The code of a system's or a driver's error, such as ECONNREFUSED; '' where there is none. */
export const codeOf = (thrown: unknown): string =>
  thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';

/** JavaScript's own errors point to a bug in capbench, not to a component, a driver or the host. */
export const isBug = (thrown: unknown): boolean =>
  !(thrown instanceof Error) ||
  [TypeError, RangeError, ReferenceError, SyntaxError].some((kind) => thrown instanceof kind);

/** Resources that the operating system can refuse, by error code: the meaning, and what to do. */
const REFUSALS: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  EMFILE: [
    'this process may not open more files',
    'raise the limit before the run: ulimit -n 4096, or twice the number of players if that is more',
  ],
  ENFILE: [
    'this host may not open more files',
    'end other programs, or raise the limit of the host (fs.file-max)',
  ],
  ENOSPC: ['the disk is full', 'free some space, or set TMPDIR and --out to folders on another disk'],
  EDQUOT: ['the disk quota is used up', 'free some space, or set TMPDIR and --out to folders elsewhere'],
  ENOMEM: ['this host is out of memory', 'free memory, raise ulimit -v, or run with a lower --scale'],
};
/** The wordings of V8, libc and PostgreSQL. */
export const OUT_OF_MEMORY = /out of memory|allocation failed|cannot allocate memory/i;

/** Turns an error with which the host refuses a resource into exit code 93 with advice; null for any other error. */
export function refusalOf(thrown: unknown): CapbenchError | null {
  if (!(thrown instanceof Error) || thrown instanceof CapbenchError) return null;
  const code = 'code' in thrown ? codeOf(thrown) : OUT_OF_MEMORY.test(thrown.message) ? 'ENOMEM' : '';
  const refusal = REFUSALS[code];
  return refusal === undefined ? null : stackFailed(`${refusal[0]}: ${thrown.message}`, refusal[1], thrown);
}

/** What a script that calls capbench can rely on. k6's codes where the meaning is the same. */
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
export const interrupted = (message: string) => new CapbenchError(EXIT.interrupted, message);

/** A message for anything that was thrown, also what is not an Error. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown);

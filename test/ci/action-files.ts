import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export const root = join(import.meta.dirname, '..', '..');

/** A step of a workflow or of a composite action. */
export interface Step {
  readonly id?: string;
  readonly name?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string>>;
  readonly run?: string;
  readonly shell?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly 'working-directory'?: string;
}

export interface Workflow {
  readonly permissions?: unknown;
  readonly concurrency?: unknown;
  readonly jobs: Readonly<
    Record<
      string,
      { readonly 'timeout-minutes'?: number; readonly uses?: string; readonly steps?: readonly Step[] }
    >
  >;
}

export interface CompositeAction {
  readonly inputs: Readonly<Record<string, { readonly required?: boolean; readonly default?: string }>>;
  readonly outputs: Readonly<Record<string, { readonly value: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
}

export const ACTION = '.github/actions/capbench/action.yml';

/** The project's own workflows, and those that its users start from. */
export const WORKFLOWS: readonly string[] = [
  ...readdirSync(join(root, '.github/workflows')).map((name) => `.github/workflows/${name}`),
  ...readdirSync(join(root, 'fixtures/ci'))
    .filter((name) => /^github.*\.yml$/.test(name))
    .map((name) => `fixtures/ci/${name}`),
];

export const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');
export const actionOf = (): CompositeAction => parse(textOf(ACTION));
export const workflowOf = (file: string): Workflow => parse(textOf(file));

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { badInput, messageOf } from '../errors.ts';
import type { Host } from '../host.ts';
import type { BudgetLines } from '../report/annotations.ts';
import type { Format } from '../report/format.ts';
import { nearby } from './shown-path.ts';

/** How a verdict is printed for CI, as given. */
export interface FormatFlags<F extends Format = Format> {
  readonly format?: F;
}

/** Where annotations stand, as given. */
export interface AnnotateFlags extends FormatFlags {
  readonly annotate?: string;
}

/** Adds the option to a command that prints a verdict. */
export const withFormat = (command: Command, names: readonly Format[]): Command =>
  command.addOption(
    new Option('--format <name>', 'print this for CI, instead of the summary')
      .choices(names)
      .conflicts(['json', 'quiet', 'full']),
  );

/**
 * Where the budgets of a scenario file stand; null where none is named.
 * @throws CapbenchError (104) where it cannot be read, or is for another format
 */
export async function readBudgetLines(
  host: Host,
  { format, annotate }: AnnotateFlags,
): Promise<BudgetLines | null> {
  if (annotate === undefined) return null;
  if (format !== 'annotations') {
    throw badInput('report: --annotate is only for --format annotations', 'leave it out, or add the format');
  }
  const { budgetLines } = await import('../scenario/budget-lines.ts');
  const path = resolve(host.cwd, annotate);
  const bytes = await readFile(path).catch((error: unknown) => {
    throw badInput(
      `--annotate: ${annotate} cannot be read: ${messageOf(error)}`,
      'name the scenario file of the run',
    );
  });
  return { file: nearby(host, path), lines: budgetLines(annotate, bytes) };
}

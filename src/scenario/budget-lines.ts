import { readYaml } from './document.ts';

const LINE = /:(\d+):\d+$/;

/**
 * The line (from 1) of each budget in a scenario file, by its id, or by its claim.
 * @throws ScenarioError where the file is no YAML
 */
export function budgetLines(file: string, bytes: Uint8Array): ReadonlyMap<string, number> {
  const { value, where } = readYaml(file, bytes);
  const { budgets } = (value ?? {}) as { readonly budgets?: unknown };
  const lines = new Map<string, number>();
  for (const [i, budget] of (Array.isArray(budgets) ? budgets : []).entries()) {
    const { id, claim } = (budget ?? {}) as { readonly id?: unknown; readonly claim?: unknown };
    const line = LINE.exec(where(['budgets', i], 'value'))?.[1];
    if (line !== undefined) lines.set(String(id ?? claim), Number(line));
  }
  return lines;
}

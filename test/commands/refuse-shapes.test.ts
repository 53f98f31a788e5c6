import { expect, test } from 'vitest';
import { refuseShapes } from '../../src/commands/scenario-files.ts';
import { CapbenchError, EXIT } from '../../src/errors.ts';
import { minimal, read } from '../scenario/scenario-text.ts';

test('an engine without stages or churn refuses them', () => {
  refuseShapes(read(minimal()).load, '--engine k6');
  for (const [more, key] of [
    ['  stages: [{ name: a, lasting: 5s }]\n', 'stages'],
    ['  churn: { perSecond: 1 }\n', 'churn'],
  ] as const) {
    const { load } = read(minimal(more));
    let thrown: unknown = null;
    try {
      refuseShapes(load, '--engine k6');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(CapbenchError);
    expect(thrown).toMatchObject({ exitCode: EXIT.badInput });
    expect(String(thrown)).toContain(`load.${key}: --engine k6`);
  }
});

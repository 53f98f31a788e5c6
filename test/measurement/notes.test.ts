import { expect, test } from 'vitest';
import { measurementsOf, openNotes } from '../../src/measurement/notes.ts';
import type { Micros } from '../../src/units.ts';
import { measurementsOf as recorded } from '../fixtures/recorded-run.ts';

const at = (seconds: number): Micros => (seconds * 1e6) as Micros;

test.each([true, false])(
  'whether generator and servers share a host is what the run was told: %s',
  (colocated) => {
    const { capbench, scenarioHash, commit, startedAt, stackKind, engine, host } = recorded();
    const identity = { capbench, scenarioHash, commit, startedAt, stackKind, colocated, engine, host };
    const timeline = { rampEnd: at(1), measureStart: at(2), end: at(3) };
    const notes = openNotes(identity, at(0));
    const facts = measurementsOf(notes, timeline, { state: 'completed' }, at(4));
    expect(facts.colocated).toBe(colocated);
  },
);

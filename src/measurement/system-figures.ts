import type { z } from 'zod';
import type { Scenario } from '../scenario/scenario.ts';
import type { Measurements } from './measurements.ts';

/** The figures that a system adds to report.json: keys of the general sections, or its own sections. */
export interface SystemFigures {
  /** Section -> an object of figures, each with its unit (figures.ts): types, JSON Schema and the list of metrics follow from it. */
  readonly sections: Readonly<Record<string, z.ZodObject>>;
  /** The same shape; a figure that was not measured is null. */
  of(measurements: Measurements, scenario: Scenario): Readonly<Record<string, object>>;
}

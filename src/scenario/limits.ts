import { z } from 'zod';
import { map, megabytes, quantity } from './leaf.ts';

/** The same words for every component. */
export const limitsSchema = map({
  cpus: quantity(0.1, 1024, 'a number of CPUs')
    .optional()
    .describe('CPUs of each of its servers, with their child processes'),
  memory: megabytes('16MB', '1TB').optional().describe('Memory of each of them'),
})
  .refine(({ cpus, memory }) => cpus !== undefined || memory !== undefined, {
    error: 'cpus, memory, or both',
  })
  .meta({ minProperties: 1 })
  .describe('The most that its processes may use; applied as far as this host allows');

/** Limits of the whole stack, and of components without a section of their own, by their names. */
export const namedLimitsSchema = z
  .object(
    { stack: limitsSchema.optional().describe('All components together') },
    { error: 'a map with the key stack, or names of components' },
  )
  .catchall(limitsSchema);

export type NamedLimits = Readonly<z.output<typeof namedLimitsSchema>>;

/** The most that the process of a component and its children may use: a number of CPUs, and whole megabytes. */
export type ComponentLimits = Readonly<z.output<typeof limitsSchema>>;

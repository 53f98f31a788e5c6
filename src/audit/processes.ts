import { exceeds, like, numberText, text } from './arithmetic.ts';
import type { Check } from './check.ts';

export const heap: Check = {
  id: 'heap',
  title: 'The heaps that processes may take fit the memory that there is for them',
  needs: ['processes[].count', 'processes[].heap', 'processes[].memory'],
  rule: ({ processes = [] }) =>
    processes.flatMap(({ name, count, heap: each, memory }) => {
      if (each === undefined || memory === undefined) return [];
      return {
        subject: name,
        holds: !exceeds(count.high * each.high, memory.low),
        arithmetic: `${text(count, 'processes')} x ${text(each)} = ${like(memory, count.high * each.high)}, of ${text(memory)}: ${like(each, memory.low / count.high)} each`,
        figures: [count, each, memory],
        disputes: [each],
      };
    }),
};

export const processCores: Check = {
  id: 'process-cores',
  title: 'Processes have a core each, or share one as planned',
  needs: ['processes[].count', 'processes[].cores'],
  rule: ({ processes = [] }) =>
    processes.flatMap(({ name, count, cores, perCore }) => {
      if (cores === undefined) return [];
      const most = perCore?.low ?? 1;
      return {
        subject: name,
        holds: !exceeds(count.high, cores.low * most),
        arithmetic: `${text(count, 'processes')} / ${text(cores)} = ${numberText(count.high / cores.low)} a core, of ${numberText(most)}`,
        figures: [count, cores, perCore],
        // How many may share a core is no figure of a document.
        disputes: [],
      };
    }),
};

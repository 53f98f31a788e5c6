import { exceeds, like, text } from './arithmetic.ts';
import type { Check } from './check.ts';

export const heap: Check = {
  id: 'heap',
  title: 'The heaps that processes may take fit the memory that there is for them',
  needs: ['processes'],
  rule: ({ processes = [] }) =>
    processes.map(({ name, count, heap: each, memory }) => ({
      subject: name,
      holds: !exceeds(count.high * each.high, memory.low),
      arithmetic: `${text(count)} x ${text(each)} = ${like(memory, count.high * each.high)}, of ${text(memory)}: ${like(each, memory.low / count.high)} each`,
      figures: [count, each, memory],
      disputes: [each],
    })),
};

/** The name of a target's process: in `--probe-process`, in series, and in figures. */
export const PROCESS_NAME = /^[a-z][a-z0-9-]{0,31}$/;

/** The figures of a process, and their units; each has its mean, minimum and maximum over the seconds. */
export const PROCESS_FIGURES = {
  cpuPercentOfCore: '%',
  cpuPercentOfHost: '%',
  busiestThreadPercent: '%',
  memoryBytes: 'bytes',
  threads: 'threads',
  descriptors: 'descriptors',
  processes: 'processes',
} as const;

export const PROCESS_ROOM = 'target.process';

/** A figure of a target's process by its path, `target.process.<name>.<figure>`; null for any other path. */
export function processMetricOf(
  path: string,
): { readonly name: string; readonly figure: string; readonly unit: string } | null {
  if (!path.startsWith(`${PROCESS_ROOM}.`)) return null;
  const [name = '', figure = '', ...more] = path.slice(PROCESS_ROOM.length + 1).split('.');
  if (more.length > 0 || !PROCESS_NAME.test(name) || !Object.hasOwn(PROCESS_FIGURES, figure)) return null;
  return { name, figure, unit: PROCESS_FIGURES[figure as keyof typeof PROCESS_FIGURES] };
}

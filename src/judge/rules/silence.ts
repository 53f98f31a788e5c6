import type { ProbeFacts } from '../../measurement/measurements.ts';

/** R7: it gave no data, or too little of it: in less than half of the seconds, also of the measure phase. */
export const isSilent = ({ samples, gaps, measured }: ProbeFacts): boolean =>
  samples === 0 || gaps > samples || measured.gaps > measured.samples;

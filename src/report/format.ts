/** What has a verdict is printed in these for CI, by the names of `--format`. */
export const VERDICT_FORMATS = ['summary', 'comment', 'annotations', 'junit'] as const;
/** Figures for services that keep their history. */
const FIGURE_FORMATS = ['smaller-is-better', 'bigger-is-better', 'bencher'] as const;
export const FORMATS = [...VERDICT_FORMATS, ...FIGURE_FORMATS] as const;

export type VerdictFormat = (typeof VERDICT_FORMATS)[number];
export type Format = (typeof FORMATS)[number];

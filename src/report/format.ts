/** What other programs of CI read, by the names of `--format`. */
export const FORMATS = [
  ...(['summary', 'comment', 'annotations', 'junit'] as const),
  ...(['smaller-is-better', 'bigger-is-better', 'bencher'] as const),
] as const;
export type Format = (typeof FORMATS)[number];

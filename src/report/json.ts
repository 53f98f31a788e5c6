import type { Report } from './report.ts';

/** report.json. */
export const reportJson = (report: Report): string => `${JSON.stringify(report, null, 2)}\n`;

import type { Command } from 'commander';

/** Where a script wants what the bundle holds under a name of its own. */
export interface FixedPathFlags {
  readonly junit?: string;
  readonly summary?: string;
  readonly report?: string;
}

/** Adds the options to a command that renders reports. */
export const withFixedPaths = (command: Command): Command =>
  command
    .option('--junit <file>', 'junit.xml to this path too: the verdict, budgets and rules as test cases')
    .option('--summary <file>', 'summary.md to this path too: the comment for a pull request')
    .option('--report <file>', 'report.html to this path too: the page to read');

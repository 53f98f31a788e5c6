import { type Palette, wrap } from '../report/terminal-text.ts';
import type { Check, CheckState } from './checks.ts';

const MARKS: Readonly<Record<CheckState, readonly [mark: string, paint: Exclude<keyof Palette, 'bold'>]>> = {
  ok: ['✓', 'green'],
  warning: ['!', 'yellow'],
  missing: ['-', 'dim'],
  unavailable: ['-', 'dim'],
  error: ['✗', 'red'],
};

/** The checks for a person to read, a group at a time, and what follows from them. */
export function checkList(checks: readonly Check[], width: number, paint: Palette): string {
  const indent = Math.max(...checks.map(({ title }) => title.length)) + 8;
  const room = Math.max(20, width - indent);
  const lines = checks.flatMap((check, index) => {
    const { group, title, state, found, advice } = check;
    const heading =
      checks[index - 1]?.group === group ? [] : ['', `  ${paint.bold(group.toUpperCase())}`, ''];
    const [mark, colour] = MARKS[state];
    const [first = '', ...more] = wrap(found, room);
    return [
      ...heading,
      `    ${paint[colour](mark)} ${title.padEnd(indent - 6)}${first}`,
      ...[...more, ...wrap(advice === null ? '' : `→ ${advice}`, room)].map(
        (line) => ' '.repeat(indent) + line,
      ),
    ];
  });
  return `${[...lines, '', ...wrap(conclusion(checks), width - 2).map((line) => `  ${line}`)].join('\n')}\n`;
}

const isError = ({ state }: Check): boolean => state === 'error';

/** Whether a run that starts a stack can work here. */
export const isReady = (checks: readonly Check[]): boolean => !checks.some(isError);

function conclusion(checks: readonly Check[]): string {
  if (!isReady(checks)) {
    const titles = checks.filter(isError).map(({ title }) => title);
    return `NOT READY (93)  to be fixed first: ${titles.join(', ')}`;
  }
  const count = (state: CheckState, one: string, several: string): readonly string[] => {
    const found = checks.filter((check) => check.state === state).length;
    return found === 0 ? [] : [`${found} ${found === 1 ? one : several}`];
  };
  return [
    'READY (0)',
    ...count('warning', 'warning', 'warnings'),
    ...count('missing', 'optional program missing', 'optional programs missing'),
  ].join('  ');
}

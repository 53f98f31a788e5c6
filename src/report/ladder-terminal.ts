import type { Ladder, LadderStep } from '../model/ladder.ts';
import { purposeText, resultFacts, searchHeadline, searchVerdict } from './ladder-text.ts';
import { plain } from './plain-text.ts';
import { numberText } from './quantity.ts';
import type { TerminalStyle } from './terminal.ts';
import { cut, palette, wrap } from './terminal-text.ts';

const COLOURS = { pass: 'green', fail: 'red', invalid: 'yellow' } as const;

/** `  3  2,000 players  8 s  up  FAIL  intent latency, p95 612 ms (< 500 ms); server: ...` */
export function stepLine(
  step: LadderStep,
  { colour, width }: Pick<TerminalStyle, 'colour' | 'width'>,
): string {
  const paint = palette(colour);
  const { outcome, ranOut } = step;
  const out = outcome === 'fail' && ranOut !== null ? `; ran out: ${ranOut.resource}` : '';
  const head = `  ${String(step.step).padStart(3)}  ${numberText(step.players).padStart(9)} players  ${`${numberText(step.seconds)} s`.padStart(6)}  ${purposeText(step).padEnd(7)}  `;
  const word = outcome.toUpperCase().padEnd(7);
  const reason = cut(plain(`${step.because}${out}`), Math.max(20, width - head.length - word.length - 2));
  return `${head}${paint.bold(paint[COLOURS[outcome]](word))}  ${reason}\n`;
}

const NAME_WIDTH = 13;

/** What a search ends with. `page` is its search.html. */
export function searchSummary(ladder: Ladder, { colour, width, page }: TerminalStyle): string {
  const paint = palette(colour);
  const { word, exitCode } = searchVerdict(ladder);
  const ink = word === 'found' ? paint.green : paint.yellow;
  const inner = Math.min(width, 140) - 4;
  const facts = resultFacts(ladder).flatMap(([name, text]) =>
    wrap(plain(text), inner - NAME_WIDTH).map(
      (line, i) => `    ${(i === 0 ? name : '').padEnd(NAME_WIDTH)}${line}`,
    ),
  );
  return [
    '',
    ...wrap(plain(`${ladder.scenario}: ${searchHeadline(ladder)}`), inner).map(
      (line) => `  ${paint.bold(line)}`,
    ),
    '',
    ...facts,
    '',
    `  ${paint.bold(ink(`${word.toUpperCase()} (${exitCode})`))}  ${page}`,
    '',
  ].join('\n');
}

/** Only the verdict, for `--quiet`. */
export function searchLine(ladder: Ladder, { colour, page }: Pick<TerminalStyle, 'colour' | 'page'>): string {
  const paint = palette(colour);
  const { word, exitCode } = searchVerdict(ladder);
  return `${paint.bold(`${word.toUpperCase()} (${exitCode})`)}  ${plain(searchHeadline(ladder))}  ${page}\n`;
}

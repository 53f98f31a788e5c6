import { describe, expect, it } from 'vitest';
import { runCli } from '../src/cli.ts';
import { Redaction } from '../src/redaction.ts';
import { withoutEscapes, withoutForeignEscapes } from '../src/terminal-escapes.ts';
import { memoryHost } from './memory-host.ts';

const ESC = '\u001b';
/** Control characters that a terminal would act on. */
const OBEYED = /(?![\t\n])\p{Cc}|\p{Bidi_Control}/u;
const HOSTILE: readonly (readonly [what: string, text: string, left: string])[] = [
  ['a colour', `${ESC}[31mred${ESC}[0m`, 'red'],
  ['a cursor that moves', `a${ESC}[2J${ESC}[1;1Hb`, 'ab'],
  ['a private mode', `${ESC}[?1049hx`, 'x'],
  ['a title', `${ESC}]0;pwned\u0007x`, 'x'],
  ['a link', `${ESC}]8;;https://evil.example${ESC}\\link${ESC}]8;;${ESC}\\`, 'link'],
  ['a clipboard', `x${ESC}]52;c;cm0gLXJm\u0007`, 'x'],
  ['a title without an end', `${ESC}]0;pwned`, '0;pwned'],
  ['a device control string', `${ESC}P1$r0m${ESC}\\x`, 'x'],
  ['CSI of eight bits', '\u009b31mx', 'x'],
  ['OSC of eight bits', '\u009d0;pwned\u009cx', 'x'],
  ['a reset', `${ESC}cx`, 'x'],
  ['a character set', `${ESC}(0x`, 'x'],
  ['one within another', `${ESC}${ESC}[31m[32mx`, '[32mx'],
  ['a line that is written over', 'PASS\rFAIL', 'PASSFAIL'],
  ['backspaces', 'FAIL\b\b\b\bPASS', 'FAILPASS'],
  ['a bell, a null byte, DEL', '\u0007a\u0000b\u007fc', 'abc'],
  ['a text that is turned', 'a\u202egnp.exe\u202c\u2066b\u2069', 'agnp.exeb'],
  ['a line of its own', 'a\tb\nc', 'a\tb\nc'],
  ['other scripts', 'Größe 大小 ±→', 'Größe 大小 ±→'],
];

describe('control sequences', () => {
  it.each(HOSTILE)('are removed: %s', (_what, text, left) => {
    expect(withoutEscapes(text)).toBe(left);
    const hidden = withoutForeignEscapes(`${ESC}[32mok${ESC}[39m ${text}`);
    expect(hidden.startsWith(`${ESC}[32mok${ESC}[39m `)).toBe(true);
    // A colour of ours may stay: what is painted was data without any.
    expect(hidden.replaceAll(/(?:31|32|39)m/g, '').replaceAll(`${ESC}[`, '')).not.toMatch(OBEYED);
  });

  it("of the progress line and of capbench's own colours are kept", () => {
    const own = `\r${ESC}[2K${ESC}[1mPASS${ESC}[22m`;
    expect(withoutForeignEscapes(own)).toBe(own);
  });

  it('that split a secret are removed before the secret is looked for', () => {
    const redaction = Redaction.of([], { GAME_TOKEN: 'hunter2-and-more' });
    expect(redaction.data({ said: `hunter2${ESC}[0m-and-more` })).toEqual({ said: '(redacted)' });
  });

  it('without an end are removed in linear time', () => {
    const text = `${ESC}]`.repeat(50_000);
    expect(withoutEscapes(text)).toBe('');
  });
});

describe('the command line', () => {
  it.each([
    ['an argument', ['check', `${ESC}]0;pwned\u0007nothing`]],
    ['an option', ['check', `--${ESC}[31mscael`]],
    ['a verb', [`${ESC}[2Jrum`]],
    ['an override', ['check', 'quickstart', '--set', `load.${ESC}[31mplayer=\u202e1`]],
    ['a target', ['run', 'quickstart', '--target', `http://127.0.0.1:1/\u009b31m`, '--i-own', `${ESC}[31m`]],
  ])('prints %s as text', async (_what, argv) => {
    const host = memoryHost(argv);
    expect(await runCli(host)).toBe(104);
    expect(host.err()).toMatch(/^error: /);
    expect(host.err() + host.out()).not.toMatch(OBEYED);
  });
});

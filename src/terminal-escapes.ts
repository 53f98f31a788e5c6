/** A sequence for a terminal, whole: CSI, a string up to its end (OSC, DCS, SOS, PM, APC), or ESC with one or two characters. */
const SEQUENCE =
  '(?:\\u001b\\[|\\u009b)[0-?]{0,256}[ -/]{0,16}[@-~]' +
  '|(?:\\u001b[\\]PX^_]|[\\u0090\\u0098\\u009d-\\u009f])[^\\u0007\\u001b\\u009c\\n]{0,4096}(?:\\u0007|\\u001b\\\\|\\u009c)' +
  '|\\u001b[ -/]{0,4}[0-~]';
/** Control characters (C0, DEL, C1) but tab and line feed, and those that turn the direction of a text. */
const CONTROL = '(?![\\t\\n])\\p{Cc}|\\p{Bidi_Control}';
/** What capbench itself writes: the colours of its palette, and the beginning of a line that it draws again. */
const OWN = '\\u001b\\[(?:1|2|22|31|32|33|39)m|\\r\\u001b\\[2K';

const FOREIGN = new RegExp(`${SEQUENCE}|${CONTROL}`, 'gu');
const FOREIGN_OR_OWN = new RegExp(`(?<own>${OWN})|${SEQUENCE}|${CONTROL}`, 'gu');
const ANY = new RegExp(CONTROL, 'u');

/**
 * A text without anything that a terminal obeys: escape sequences, control characters other than tab and line feed, and
 * characters that turn the direction of what follows. What a target, a driver, a file or an argument says is text.
 */
export const withoutEscapes = (text: string): string => (ANY.test(text) ? text.replace(FOREIGN, '') : text);

/** The same, of a text that capbench has put its own colours into: those stay. */
export const withoutForeignEscapes = (text: string): string =>
  ANY.test(text) ? text.replace(FOREIGN_OR_OWN, (_, own?: string) => own ?? '') : text;

/** A whole escape sequence: CSI, a string up to its terminator (OSC, DCS, SOS, PM, APC), or ESC with one or two characters. */
const SEQUENCE =
  '(?:\\u001b\\[|\\u009b)[0-?]{0,256}[ -/]{0,16}[@-~]' +
  '|(?:\\u001b[\\]PX^_]|[\\u0090\\u0098\\u009d-\\u009f])[^\\u0007\\u001b\\u009c\\n]{0,4096}(?:\\u0007|\\u001b\\\\|\\u009c)' +
  '|\\u001b[ -/]{0,4}[0-~]';
/** Control characters (C0, DEL, C1) except tab and line feed, and those that change the direction of a text. */
const CONTROL = '(?![\\t\\n])\\p{Cc}|\\p{Bidi_Control}';
/** capbench's own sequences: the colours of its palette, and the one that redraws a line. */
const OWN = '\\u001b\\[(?:1|2|22|31|32|33|39)m|\\r\\u001b\\[2K';

const FOREIGN = new RegExp(`${SEQUENCE}|${CONTROL}`, 'gu');
const FOREIGN_OR_OWN = new RegExp(`(?<own>${OWN})|${SEQUENCE}|${CONTROL}`, 'gu');
const ANY = new RegExp(CONTROL, 'u');

/**
 * The text without escape sequences, control characters other than tab and line feed, and characters that change the
 * direction of text. Text from a target, a driver, a file or an argument must not control the terminal.
 */
export const withoutEscapes = (text: string): string => (ANY.test(text) ? text.replace(FOREIGN, '') : text);

/** The same for a text with capbench's own colours, which stay. */
export const withoutForeignEscapes = (text: string): string =>
  ANY.test(text) ? text.replace(FOREIGN_OR_OWN, (_, own?: string) => own ?? '') : text;

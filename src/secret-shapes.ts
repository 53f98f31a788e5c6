import { isTelling } from './secret-forms.ts';

/** Stands where a secret stood. Text in YAML, JSON, XML, HTML, CSV and Markdown alike. */
export const MARK = '(redacted)';

/** What is a secret by where it stands, whatever its length. `before` stays, `secret` goes. */
interface Shape {
  readonly what: string;
  readonly pattern: RegExp;
  /** Prose looks like this too: only what hardly is a word goes. */
  readonly telling?: true;
}

const NAMES =
  'pass(?:word|wd|phrase)|passcode|secret|token|credentials?|(?:api|access|private|secret|auth)[_-]?key';

/**
 * The shapes, with the characters that end a secret: whitespace alone in a text of its own; in a finished
 * document quotes, brackets and backslashes too, so that its syntax stays whole. All repetitions are bounded:
 * a text made for it cannot keep them busy.
 */
const shapesEndingAt = (ends: string): readonly Shape[] => [
  {
    what: 'a user or a password in an address',
    // As a URL has it, or with slashes and other marks that should have been encoded; an @ in a path is none.
    pattern: new RegExp(
      `(?<before>[a-z0-9]://)(?<secret>[^${ends}/?#:@]{0,256}:[^${ends}]{1,2048}|[^${ends}/?#]{1,2048})(?=@)`,
      'gi',
    ),
  },
  {
    what: 'the value of a password, secret, token or key',
    pattern: new RegExp(
      `(?<before>(?:${NAMES}|pwd|\\bpass)\\s{0,3}=\\s{0,3})(?<secret>'[^']{0,500}'|[^${ends}&;]{1,2048})`,
      'gi',
    ),
  },
  {
    what: 'a key in a query',
    pattern: new RegExp(
      `(?<before>[?&](?:key|sig|signature|auth|authorization|code|session|sid|jwt)=)(?<secret>[^${ends}&#]{1,2048})`,
      'gi',
    ),
  },
  {
    what: 'an authorization',
    pattern: new RegExp(
      `(?<before>\\bauthorization["']?\\s{0,3}[:=]\\s{0,3}["']?(?:(?:bearer|basic|digest|token)\\s{1,3})?)(?<secret>[^${ends},;]{1,2048})`,
      'gi',
    ),
  },
  {
    what: 'the value of a password, secret, token or key',
    pattern: new RegExp(
      `(?<before>(?:(?:${NAMES})["']?\\s{0,3}:|\\bbearer)\\s{0,3}["']?)(?<secret>[^\\s"',;}<>\\\\]{1,2048})`,
      'gi',
    ),
    telling: true,
  },
  {
    what: 'a token',
    pattern:
      /(?<before>)(?<secret>\beyJ[\w-]{8,4096}\.[\w-]{8,4096}\.[\w-]{0,4096}|\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk-|npm_|AKIA)[\w-]{16,255})/g,
  },
  {
    what: 'a private key',
    pattern:
      /(?<before>)(?<secret>-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]{0,20000}?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$))/g,
  },
];

const IN_TEXT = shapesEndingAt('\\s');
const IN_DOCUMENTS = shapesEndingAt('\\s"\'<>`\\\\').filter(({ telling }) => telling !== true);

/** `text`: prose, a log, an error. `document`: something whose syntax has to stay whole. */
export type TextKind = 'text' | 'document';

/** Something found by its shape. */
interface FoundShape {
  readonly what: string;
  readonly secret: string;
}

/** Takes out what has a secret's shape; `found` is told of each. */
export function withoutShapes(
  text: string,
  kind: TextKind,
  found: (shape: FoundShape) => void = () => {},
): string {
  // Most texts have none of the characters that every shape needs.
  if (!/:\/\/|[=:]|eyJ|bearer|[a-z]_|-|AKIA/i.test(text)) return text;
  let clean = text;
  for (const { what, pattern, telling } of kind === 'text' ? IN_TEXT : IN_DOCUMENTS) {
    clean = clean.replace(pattern, (...match) => {
      const whole = String(match[0]);
      const { before = '', secret = '' } = match.at(-1) as { before?: string; secret?: string };
      const bare = secret.replace(/^'(.*)'$/, '$1');
      if (bare === '' || bare.startsWith(MARK) || (telling === true && !isTelling(bare))) return whole;
      found({ what, secret: bare });
      return `${before}${MARK}`;
    });
  }
  return clean;
}

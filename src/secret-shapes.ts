import { isDistinctive } from './secret-forms.ts';

/** Replaces a secret. Valid as text in YAML, JSON, XML, HTML, CSV and Markdown. */
export const MARK = '(redacted)';

/** A secret that is recognised by its context, whatever its length. `before` stays, `secret` is replaced. */
interface Shape {
  readonly what: string;
  readonly pattern: RegExp;
  /** Prose may match, too: only a distinctive value is replaced. */
  readonly distinctive?: true;
}

const NAMES =
  'pass(?:word|wd|phrase)|passcode|secret|token|credentials?|(?:api|access|private|secret|auth)[_-]?key';

/**
 * The shapes, with the characters that end a secret: only whitespace in a plain text; in a finished document also
 * quotes, brackets and backslashes, so that its syntax stays valid. All repetitions are bounded, so that a crafted
 * text cannot cause catastrophic backtracking.
 */
const shapesEndingAt = (ends: string): readonly Shape[] => [
  {
    what: 'a user or a password in an address',
    // Also with slashes and other marks that should have been encoded. An @ in a path is no userinfo.
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
    distinctive: true,
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
const IN_DOCUMENTS = shapesEndingAt('\\s"\'<>`\\\\').filter(({ distinctive }) => distinctive !== true);

/** `text`: prose, a log, an error. `document`: its syntax has to stay valid. */
export type TextKind = 'text' | 'document';

interface FoundShape {
  readonly what: string;
  readonly secret: string;
}

/** Replaces everything that has the shape of a secret, and calls `found` for each. */
export function withoutShapes(
  text: string,
  kind: TextKind,
  found: (shape: FoundShape) => void = () => {},
): string {
  // A fast exit: most texts have none of the characters that every shape needs.
  if (!/:\/\/|[=:]|eyJ|bearer|[a-z]_|-|AKIA/i.test(text)) return text;
  let clean = text;
  for (const { what, pattern, distinctive } of kind === 'text' ? IN_TEXT : IN_DOCUMENTS) {
    clean = clean.replace(pattern, (...match) => {
      const whole = String(match[0]);
      const { before = '', secret = '' } = match.at(-1) as { before?: string; secret?: string };
      const bare = secret.replace(/^'(.*)'$/, '$1');
      if (bare === '' || bare.startsWith(MARK) || (distinctive === true && !isDistinctive(bare)))
        return whole;
      found({ what, secret: bare });
      return `${before}${MARK}`;
    });
  }
  return clean;
}

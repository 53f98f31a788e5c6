import { formsOf, isTelling } from './secret-forms.ts';
import { MARK, type TextKind, withoutShapes } from './secret-shapes.ts';
import { withoutEscapes } from './terminal-escapes.ts';

/** Variables whose values are secrets. */
const SECRET_NAME = /^PG(?!_)|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|KEY/i;
/** Of a key with several lines, each that is no frame. */
const FRAME = /^-----/;
/** Where an error cut a text short, so much of a secret's beginning may stand. */
const CUT = /\.\.\.|…/g;
const SHORTEST_START = 4;

/**
 * What must not be told, and how it is taken out of what is. Two kinds: what is a secret by its shape (userinfo
 * in a URL, `password=`; secret-shapes.ts), taken out where it stands and whatever its length; and values that
 * are known to be secrets (from the environment, the arguments, the scenario, or made by the run), looked for
 * in every form (secret-forms.ts) when they can be told from ordinary text.
 */
export class Redaction {
  /** Form -> where the secret came from; the longest form first. */
  private forms: (readonly [form: string, origin: string])[] = [];
  private readonly values = new Set<string>();

  /** What a process was given: every secret in its arguments and its environment. */
  static of(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): Redaction {
    const redaction = new Redaction();
    for (const argument of argv) redaction.learn(argument, 'from an argument');
    for (const [name, value = ''] of Object.entries(env)) {
      const origin = `from the variable ${name}`;
      redaction.learn(value, origin);
      if (!SECRET_NAME.test(name)) continue;
      redaction.add(value, origin);
      const lines = value.split('\n');
      if (lines.length > 1) for (const line of lines) if (!FRAME.test(line)) redaction.add(line, origin);
    }
    return redaction;
  }

  /** A secret, wherever it will turn up. One that cannot be told from ordinary text is left to its shapes. */
  add(secret: string, origin: string): void {
    for (const value of [secret.trim(), decoded(secret.trim())]) {
      if (this.values.has(value) || value.includes(MARK) || !isTelling(value)) continue;
      this.values.add(value);
      for (const form of formsOf(value)) this.forms.push([form, origin]);
    }
    this.forms.sort(([a], [b]) => b.length - a.length);
  }

  /** Adds what has a secret's shape in a text. */
  learn(text: string, origin: string): void {
    withoutShapes(text, 'text', ({ secret }) => {
      this.add(secret, origin);
      // user:password
      this.add(secret.slice(secret.indexOf(':') + 1), origin);
    });
  }

  /** A text without its secrets. `document`: its syntax has to stay whole. */
  text(text: string, kind: TextKind = 'text'): string {
    let clean = withoutShapes(text, kind);
    for (const [form] of this.forms) if (clean.includes(form)) clean = clean.replaceAll(form, MARK);
    return this.withoutStarts(clean);
  }

  /** Data without secrets, and without what a terminal obeys, in any of its strings; keys are a schema's, and stay. */
  data<T>(value: T): T {
    return mapStrings(value, (text) => this.text(withoutEscapes(text))) as T;
  }

  /** What secret a text or a file holds, in words that do not repeat it; null when none. */
  find(content: string | Uint8Array): string | null {
    if (typeof content === 'string') {
      let shape: string | null = null;
      withoutShapes(content, 'text', ({ what }) => {
        shape ??= what;
      });
      return this.forms.find(([form]) => content.includes(form))?.[1] ?? shape;
    }
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    return this.forms.find(([form]) => bytes.includes(form))?.[1] ?? null;
  }

  /**
   * A file as it may be written, scanned once more when it is finished; null when a secret cannot be taken out of
   * it (a picture).
   */
  artefact<T extends string | Uint8Array>(name: string, content: T): T | string | null {
    if (typeof content !== 'string') return this.find(content) === null ? content : null;
    const isLog = name.endsWith('.log');
    // A log is read on a terminal, too; a document is made of data that holds no escapes.
    const clean = isLog ? this.text(withoutEscapes(content)) : this.text(content, 'document');
    if (clean === content) return content;
    if (!name.endsWith('.json')) return this.holds(clean) ? null : clean;
    const parsed: unknown = JSON.parse(content);
    const strings: string[] = [];
    const mapped = mapStrings(parsed, (text) => {
      strings.push(this.text(text));
      return strings.at(-1) ?? '';
    });
    if (strings.some((text) => this.holds(text))) return null;
    return content.startsWith('{\n') ? `${JSON.stringify(mapped, null, 2)}\n` : JSON.stringify(mapped);
  }

  private holds(text: string): boolean {
    return this.forms.some(([form]) => text.includes(form));
  }

  /** `"s3cr...`: the beginning of a secret that somebody cut before it came here. */
  private withoutStarts(text: string): string {
    if (this.values.size === 0 || !(text.includes('...') || text.includes('…'))) return text;
    return cutStarts(text, this.values);
  }
}

/** Every beginning of a value, of four characters and more, that stands right before dots. */
function cutStarts(text: string, values: ReadonlySet<string>): string {
  let clean = '';
  let from = 0;
  for (const { index, 0: dots } of text.matchAll(CUT)) {
    let before = text.slice(from, index);
    for (const value of values) {
      for (let length = Math.min(value.length - 1, before.length); length >= SHORTEST_START; length--) {
        if (!before.endsWith(value.slice(0, length))) continue;
        before = `${before.slice(0, -length)}${MARK}`;
        break;
      }
    }
    clean += before + dots;
    from = index + dots.length;
  }
  return clean + text.slice(from);
}

/** The value of a percent-encoded text; the text itself where it is none. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function mapStrings(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value);
  if (Array.isArray(value)) return value.map((each) => mapStrings(each, map));
  // Typed arrays and the like hold no text.
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mapStrings(inner, map)]));
}

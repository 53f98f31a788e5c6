/** The shortest value that is looked for. A shorter one would be met by chance, or guessed. */
const SHORTEST = 6;
const LEAST_DIFFERENT = 4;
/** Digits alone are looked for from here on: no time, port, size or measured figure has as many. */
const SHORTEST_NUMBER = 16;
const SHORTEST_WORDS = 16;
/** `monsterCommandsPerSecond`, `shared_preload_libraries`, `load.intent.inFlight`, as capbench says; and plain paths. */
const NAME = /^[a-z]{2,}(?:[A-Z][a-z]+|[_.][a-z]+)+$/;
const PATH = /^[~.]{0,2}(?:\/[A-Za-z._-]+)+\/?$/;
const SHORTEST_NAME = 40;

/**
 * Whether a value is told from ordinary text, so that it can be looked for wherever it turns up: `postgres`,
 * `1`, `5432`, `2026-11-21` and `sharedBuffers` are not, and taking them out would ruin a report and protect
 * nothing; `hunter2`, `correct horse battery staple` and every random token are.
 */
export function isTelling(value: string): boolean {
  if (value.length < SHORTEST || new Set(value).size < LEAST_DIFFERENT) return false;
  if (/^[\d\s.,:+TZeE/-]*$/.test(value)) return value.replace(/\D/g, '').length >= SHORTEST_NUMBER;
  if (NAME.test(value) || PATH.test(value)) return value.length >= SHORTEST_NAME;
  return value.length >= SHORTEST_WORDS || !/^[a-z]+([ _./:-][a-z]+)*$/i.test(value);
}

const HTML: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Base64 of the value wherever it begins in the bytes around it: what the neighbours cannot change. */
function base64Forms(value: string): string[] {
  const bytes = Buffer.from(value);
  return [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const whole = (shift + bytes.length) % 3 === 0;
    // The first characters hold bits of what stands before, the last one of what follows.
    return text.slice(Math.ceil((shift * 8) / 6), whole ? undefined : -1);
  });
}

const jsonEscaped = (value: string): string => JSON.stringify(value).slice(1, -1);

/** encodeURIComponent for any string: through UTF-8, which has no lone surrogates. */
const urlEncoded = (value: string): string => encodeURIComponent(Buffer.from(value).toString());

/** A value as itself and as URLs, JSON, markup, YAML, base64 and hex write it; the longest first. */
export function formsOf(value: string): readonly string[] {
  const encoded = urlEncoded(value);
  const base64 = base64Forms(value);
  const hex = Buffer.from(value).toString('hex');
  const forms = [
    value,
    jsonEscaped(value),
    jsonEscaped(jsonEscaped(value)),
    encoded,
    encoded.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    new URLSearchParams([['', value]]).toString().slice(1),
    encoded.replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`),
    value.replace(/[&<>"']/g, (mark) => HTML[mark] ?? mark),
    value.replace(/[&<>]/g, (mark) => HTML[mark] ?? mark),
    value.replaceAll("'", "''"),
    ...base64,
    ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
    hex,
    hex.toUpperCase(),
  ];
  return [...new Set(forms)].sort((a, b) => b.length - a.length);
}

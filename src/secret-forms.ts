/** Shorter values would match ordinary text by chance, and can be guessed. */
const SHORTEST = 6;
const LEAST_DIFFERENT = 4;
/** No time, port, size or measured figure has as many digits. */
const SHORTEST_NUMBER = 16;
const SHORTEST_WORDS = 16;
/** Names as capbench prints them, such as `shared_preload_libraries` or `load.intent.inFlight`, and plain paths. */
const NAME = /^[a-z]{2,}(?:[A-Z][a-z]+|[_.][a-z]+)+$/;
const PATH = /^[~.]{0,2}(?:\/[A-Za-z._-]+)+\/?$/;
const SHORTEST_NAME = 40;

/**
 * Whether a value is unlikely to occur in ordinary text, so that every occurrence can be removed. `postgres`, `1`,
 * `5432`, `2026-11-21` and `sharedBuffers` are not distinctive: removing them would ruin a report and protect
 * nothing. `hunter2`, `correct horse battery staple` and every random token are.
 */
export function isDistinctive(value: string): boolean {
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

/** Base64 of the value at each of the three offsets, without the characters that depend on the bytes around it. */
function base64Forms(value: string): string[] {
  const bytes = Buffer.from(value);
  return [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const whole = (shift + bytes.length) % 3 === 0;
    // The first characters hold bits of the bytes before, the last one of the bytes after.
    return text.slice(Math.ceil((shift * 8) / 6), whole ? undefined : -1);
  });
}

const jsonEscaped = (value: string): string => JSON.stringify(value).slice(1, -1);

/** encodeURIComponent throws on lone surrogates; a round trip through UTF-8 replaces them. */
const urlEncoded = (value: string): string => encodeURIComponent(Buffer.from(value).toString());

/** A value, and its encodings in URLs, JSON, markup, YAML, base64 and hex; the longest first. */
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

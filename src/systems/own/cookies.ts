/**
 * The cookies of a player at its server: names and values. Paths, domains and times are not kept, since a player talks to one
 * origin for minutes; a cookie that the server takes back is removed.
 */
export class Cookies {
  private readonly values = new Map<string, string>();

  get isEmpty(): boolean {
    return this.values.size === 0;
  }

  /** As in the header `Cookie`. */
  get text(): string {
    return [...this.values].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  /** Takes the header `Set-Cookie` of an answer; true when a cookie has changed. */
  take(header: string | readonly string[] | undefined): boolean {
    if (header === undefined) return false;
    let changed = false;
    for (const line of typeof header === 'string' ? [header] : header) {
      const [pair = '', ...attributes] = line.split(';');
      const equals = pair.indexOf('=');
      const name = pair.slice(0, Math.max(0, equals)).trim();
      const value = pair.slice(equals + 1).trim();
      if (name === '') continue;
      if (attributes.some(isOver)) changed = this.values.delete(name) || changed;
      else if (this.values.get(name) !== value) {
        this.values.set(name, value);
        changed = true;
      }
    }
    return changed;
  }
}

/** Whether an attribute takes the cookie back. */
function isOver(attribute: string): boolean {
  const [name = '', value = ''] = attribute.trim().split('=', 2);
  if (/^max-age$/i.test(name)) return Number(value) <= 0;
  return /^expires$/i.test(name) && Date.parse(value) < Date.now();
}

const LONGEST = 60;

/** What somebody said first, for a person: its first line, or its first bytes where they are no text. */
export function excerptOf(said: string | Uint8Array): string {
  const bytes = typeof said === 'string' ? Buffer.from(said.slice(0, 4 * LONGEST)) : Buffer.from(said);
  if (bytes.length === 0) return 'nothing';
  const line =
    bytes
      .toString('latin1')
      .trimStart()
      .split(/[\r\n]/, 1)[0] ?? '';
  if (line === '' || /[^\x20-\x7e\t]/.test(line)) {
    const some = bytes
      .subarray(0, 8)
      .toString('hex')
      .replace(/..(?=.)/g, '$& ');
    return `the bytes ${some}${bytes.length > 8 ? ' ..' : ''}`;
  }
  return `"${line.length > LONGEST ? `${line.slice(0, LONGEST)}..` : line}"`;
}

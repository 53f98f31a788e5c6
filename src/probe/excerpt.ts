const LONGEST = 60;

/** The beginning of a peer's answer for a message: its first line, or its first bytes where they are not text. */
export function excerptOf(answer: string | Uint8Array): string {
  const bytes = typeof answer === 'string' ? Buffer.from(answer.slice(0, 4 * LONGEST)) : Buffer.from(answer);
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

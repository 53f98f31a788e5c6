/** GitHub drops a step's summary that is larger, in bytes. */
const LARGEST = 1024 * 1024;
/** Left for what other lines of the same step add. */
const LIMIT = LARGEST - 64 * 1024;

/** The summary of a step in GitHub Actions: Markdown of any size, cut after a line where GitHub would drop the whole of it. */
export function stepSummary(markdown: string): string {
  if (Buffer.byteLength(markdown) <= LIMIT) return markdown;
  const cut = Buffer.from(markdown).subarray(0, LIMIT).toString();
  return `${cut.slice(0, cut.lastIndexOf('\n') + 1)}\n_Cut: the whole is in the artifact of the run._\n`;
}

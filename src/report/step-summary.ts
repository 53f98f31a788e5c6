/** In bytes. GitHub drops the summary of a step that is larger than 1 MiB, and a step may have two: of a run and of a comparison. */
const LIMIT = 500 * 1024;

/** The summary of a step in GitHub Actions: Markdown of any size, cut after a line where GitHub would drop the whole of it. */
export function stepSummary(markdown: string): string {
  if (Buffer.byteLength(markdown) <= LIMIT) return markdown;
  const cut = Buffer.from(markdown).subarray(0, LIMIT).toString();
  return `${cut.slice(0, cut.lastIndexOf('\n') + 1)}\n_Cut: the whole is in the artifact of the run._\n`;
}

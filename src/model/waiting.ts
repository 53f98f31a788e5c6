/**
 * Queueing as a multiple of the time of service: M/M/c by Sakasegawa's approximation ("An approximation formula
 * Lq = a rho^b / (1 - rho)", 1977): W / S = rho^(sqrt(2 (c + 1)) - 1) / (c (1 - rho)). Exact for one core. `cores` may be a
 * fraction, as a quota is.
 * @param utilisation of 0 to 1, exclusive
 */
export const waitingTime = (cores: number, utilisation: number): number =>
  utilisation ** (Math.sqrt(2 * (cores + 1)) - 1) / (cores * (1 - utilisation));

/** A host that is reported as full, or more than full, has this much. */
const FULL = 0.999;

/**
 * The utilisation of so many cores at which work waits as long as it does on others at theirs: few cores have to stay emptier
 * than many, for the same latency.
 */
export function equalWaiting(at: { cores: number; utilisation: number }, cores: number): number {
  const known = Math.min(FULL, Math.max(0, at.utilisation));
  if (known === 0) return 0;
  const wanted = waitingTime(at.cores, known);
  let [low, high] = [0, 1];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (waitingTime(cores, middle) < wanted) low = middle;
    else high = middle;
  }
  return low;
}

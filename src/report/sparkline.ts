const LEVELS = '▁▂▃▄▅▆▇█';

/** The last `width` values, each as a bar between the lowest and the highest of them; a space where there is none. */
export function sparkline(values: readonly (number | null)[], width: number): string {
  const shown = values.slice(-width);
  const known = shown.filter((value) => value !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  return shown
    .map((value) => {
      if (value === null) return ' ';
      // Values that are all the same are a line in the middle.
      const share = high > low ? (value - low) / (high - low) : 0.5;
      return LEVELS[Math.min(LEVELS.length - 1, Math.floor(share * LEVELS.length))] ?? '';
    })
    .join('');
}

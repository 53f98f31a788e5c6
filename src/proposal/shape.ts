/** A span of a load in which its level goes linearly from one value to another. */
export interface Level {
  readonly name: string | null;
  readonly seconds: number;
  readonly from: number;
  readonly to: number;
}

/** A stage of a scenario; times in seconds. */
interface ShapeStage {
  readonly name: string;
  readonly lasting: number;
  /** A multiple of the rates, with the time of the change. */
  readonly rate: number | null;
  readonly over: number;
  readonly players: number | null;
}

/** The keys of `load:` that shape it over time; seconds. */
export interface Shape {
  readonly ramp: number;
  readonly warmUp: number;
  /** Null where the stages say it. */
  readonly duration: number | null;
  readonly stages: readonly ShapeStage[];
}

/** Long enough for a first verdict. */
const DEFAULT_SECONDS = 30;
const WARM_UP_SECONDS = 2;
const MOST_STAGES = 20;

export const steady = (seconds: number | null, ramp = 2): Shape => ({
  ...{ ramp, warmUp: WARM_UP_SECONDS, duration: seconds ?? DEFAULT_SECONDS, stages: [] },
});

/** What a list of levels leads to. */
interface Shaped {
  readonly shape: Shape;
  /** The level of the load's own rates or players. */
  readonly base: number;
  /** What could not be kept, in sentences. */
  readonly notes: readonly string[];
}

/**
 * The shape of a load that has these levels one after another. A first one that begins at less is the ramp; what ends at
 * nothing is left out, because a run drains after its last operation. `of`: what the level is.
 */
export function shapeOf(levels: readonly Level[], of: 'rate' | 'players'): Shaped {
  const notes: string[] = [];
  let rest = levels.filter(({ seconds }) => seconds > 0);
  const last = rest.at(-1);
  if (rest.length > 1 && last !== undefined && last.to === 0) {
    notes.push(
      `the end, in which the load goes down to 0 in ${last.seconds} s: a run ends with its last operation`,
    );
    rest = rest.slice(0, -1);
  }
  const [first] = rest;
  let ramp = 0;
  if (first !== undefined && first.to > first.from) {
    ramp = first.seconds;
    rest = rest.slice(1);
    // Something has to be measured.
    if (rest.length === 0) rest = [{ ...first, name: null, seconds: DEFAULT_SECONDS, from: first.to }];
  }
  if (rest.length > MOST_STAGES) {
    notes.push(`the stages after the first ${MOST_STAGES}: a scenario has no more`);
    rest = rest.slice(0, MOST_STAGES);
  }
  const peak = Math.max(...rest.map(({ from, to }) => Math.max(from, to)), 0);
  const start = rest[0]?.from === undefined || rest[0].from === 0 ? (rest[0]?.to ?? 0) : rest[0].from;
  const base = of === 'players' || start === 0 ? peak : start;
  const isFlat = rest.every(({ from, to }) => from === to && to === base);
  if (isFlat) {
    const length = rest.reduce((sum, { seconds }) => sum + seconds, 0);
    return { shape: steady(length === 0 ? null : length, ramp), base, notes };
  }
  const names = new Set<string>();
  const stages = rest.map((level, i): ShapeStage => {
    const { name, seconds, from, to } = level;
    const changes = from !== to && base > 0;
    return {
      name: stageName(name, i, names),
      lasting: seconds,
      rate: of === 'rate' && base > 0 ? to / base : null,
      over: of === 'rate' && changes ? seconds : 0,
      players: of === 'players' ? Math.max(1, Math.round(to)) : null,
    };
  });
  if (of === 'players' && rest.some(({ to }) => to < 1))
    notes.push('stages without any player: they have one');
  const high = stages.find(({ rate }) => rate !== null && rate > 100);
  if (high !== undefined)
    notes.push(`the stage ${high.name}: its rate is more than 100 times that of the first`);
  const kept = stages.map((stage) =>
    stage.rate === null ? stage : { ...stage, rate: Math.min(100, stage.rate) },
  );
  return { shape: { ramp, warmUp: WARM_UP_SECONDS, duration: null, stages: kept }, base, notes };
}

function stageName(name: string | null, i: number, taken: Set<string>): string {
  const words = (name ?? '').toLowerCase().match(/[a-z0-9]+/g) ?? [];
  const own = words
    .join('-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 28)
    .replace(/-$/, '');
  const base = own === '' ? `stage-${i + 1}` : own;
  const free = taken.has(base) ? `${base}-${i + 1}` : base;
  taken.add(free);
  return free;
}

/** The highest rate at which players join or leave, so that each change fits into its stage. */
export const connectsFor = (levels: readonly Level[]): number =>
  Math.max(
    1,
    ...levels.map(({ seconds, from, to }) => Math.ceil(Math.abs(to - from) / Math.max(0.1, seconds))),
  );

/** `30`, `30s`, `1m30s`, `500ms`: seconds; null for anything else. */
export function secondsIn(text: unknown, unit = 1): number | null {
  if (typeof text === 'number') return Number.isFinite(text) && text >= 0 ? text * unit : null;
  if (typeof text !== 'string') return null;
  const given = text.trim();
  if (/^\d+(\.\d+)?$/.test(given)) return Number(given) * unit;
  const parts = [...given.matchAll(/(\d+(?:\.\d+)?)\s*(ms|[smhd]|sec(?:onds?)?|min(?:utes?)?|hours?)/g)];
  if (parts.length === 0 || parts.map(([all]) => all).join('') !== given.replaceAll(/\s(?=\d)/g, ''))
    return null;
  const factors: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };
  return parts.reduce(
    (sum, [, number, name = 's']) => sum + Number(number) * (factors[name] ?? factors[name[0] ?? 's'] ?? 1),
    0,
  );
}

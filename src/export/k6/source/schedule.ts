/**
 * Randomness, time and the hash of what was planned, as JavaScript: the same as rng.ts, load/operational-time.ts and
 * load/schedule-hash.ts say.
 */
export const SCHEDULE_SOURCE = `
// --- The schedule -------------------------------------------------------------------------------------------------
// k6 interprets JavaScript: what is done for each operation or frame is written so that it takes few steps.
// Everything random comes from the seed, so that two runs (and two tools) ask for the same things at the same times.
// Times are integer microseconds after GO. Of a stream with rate r, one arrival falls into each interval of length
// 1/r, at random within it; in the ramp the clock of the intervals runs from standstill to full speed.

const NEVER = Infinity;
const STEP = 0x6d2b79f5; // by which the state of mulberry32 advances

// The state of one random stream, from the seed and what the stream is for.
function streamSeed(seed, coordinates) {
  let h = seed | 0;
  for (const c of coordinates) {
    h = Math.imul(h ^ c, 0x85ebca6b);
    h ^= h >>> 13;
    h = Math.imul(h, 0xc2b2ae35);
    h ^= h >>> 16;
    h = (h + 0x9e3779b9) | 0;
  }
  return h >>> 0;
}

// The number in [0, 1) that belongs to a state (mulberry32).
function mulberry32(state) {
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}

// The wall time at which "tau" seconds at full speed have passed, under a linear ramp.
function afterRamp(tau, ramp) {
  return tau < ramp / 2 ? Math.sqrt(2 * ramp * tau) : tau + ramp / 2;
}

const micros = (seconds) => Math.round(seconds * 1e6);
const measureStartOf = (config) => micros(config.rampSeconds) + micros(config.warmUpSeconds);
const endOf = (config) => measureStartOf(config) + micros(config.durationSeconds);

// One value for a whole schedule, in whatever order its operations are added: two tools that asked for the same
// things at the same times have the same one. "operation" is its place in OPERATIONS.
function scheduleHash() {
  let low = 0;
  let high = 0;
  const mix = (word) => {
    let h = word ^ (word >>> 16);
    h = Math.imul(h, 0x85ebca6b);
    h ^= h >>> 13;
    h = Math.imul(h, 0xc2b2ae35);
    return h ^ (h >>> 16);
  };
  return {
    add(operation, actor, sequence, due) {
      let h = mix(actor ^ Math.imul(operation + 1, 0x9e3779b1));
      h = mix(h ^ sequence);
      h = mix(h ^ (due | 0));
      h = mix(h ^ ((due / 4294967296) | 0));
      low = (low + h) | 0;
      high = (high + mix(h ^ Math.imul(actor, 0x27d4eb2f) ^ sequence)) | 0;
    },
    words: () => [low >>> 0, high >>> 0],
  };
}
`;

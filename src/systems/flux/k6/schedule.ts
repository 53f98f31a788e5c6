/**
 * The script's pure part, as JavaScript: what is due when, and what it is. It has to say the same as pacer.ts,
 * rng.ts, monster/lanes.ts and schedule-hash.ts; test/load/k6/schedule.test.ts runs both and compares.
 */
export const SCHEDULE_SOURCE = `
// --- The schedule -------------------------------------------------------------------------------------------------
// k6 interprets JavaScript: what is done for each operation or frame is written so that it takes few steps.
// Everything random comes from the seed, so that two runs (and two tools) ask for the same things at the same times.
// Times are integer microseconds after GO. Of a stream with rate r, one arrival falls into each interval of length
// 1/r, at random within it; in the ramp the clock of the intervals runs from standstill to full speed.

const NEVER = Infinity;
const STEP = 0x6d2b79f5; // by which the state of mulberry32 advances
const STREAM = { arrival: 1, phase: 2, post: 3, talk: 11, content: 21, turn: 22 };

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

// The due times of one player's intents, one call after the other; NEVER when none is left.
function playerSchedule(config, player) {
  const rate = config.intentsPerSecondOfAPlayer;
  const end = endOf(config);
  const phase = mulberry32(streamSeed(config.seed, [STREAM.phase, player]));
  let state = streamSeed(config.seed, [STREAM.arrival, player]);
  let interval = 0;
  return function next() {
    if (rate <= 0) return NEVER;
    for (;;) {
      state = (state + STEP) | 0;
      const tau = (interval + mulberry32(state) - phase) / rate;
      interval += 1;
      if (tau < 0) continue; // the first interval began before GO
      const due = micros(afterRamp(tau, config.rampSeconds));
      return due < end ? due : NEVER;
    }
  };
}

// The due times of the posts of one lane of monsters: of the one schedule of posts, every so-many-th is its own.
function laneSchedule(config, lane) {
  const end = endOf(config);
  const seed = streamSeed(config.seed, [STREAM.post]);
  let post = lane - config.lanes;
  return function next() {
    if (config.postsPerSecond <= 0 || lane >= config.lanes) return NEVER;
    post += config.lanes;
    const jitter = mulberry32((seed + Math.imul(post + 1, STEP)) | 0);
    const due = micros(afterRamp((post + jitter) / config.postsPerSecond, config.rampSeconds));
    return due < end ? due : NEVER;
  };
}

const MONSTER_TEXTS = [
  'go north', 'go east', 'go south', 'go west', 'guard',
  'go north', 'go east', 'go south', 'go west', 'look',
];
const GOLDEN = 0.618033988749895;

// The monsters (by index, from 0) of one world server that belong to one lane: every so-many-th, from the first.
function laneMonsters(config, lane, { from, to }) {
  const first = from + ((lane - (from % config.lanes) + config.lanes) % config.lanes);
  return { first, size: Math.max(0, Math.ceil((to - first) / config.lanes)) };
}

// What the posts of one lane hold, one call after the other: commands for its monsters of one world server. The n-th of
// "texts" is for the monster in the n-th of "places" among the lane's. "own" are its monsters of each world server;
// servers take turns in proportion to them.
function laneContent(config, lane, own) {
  const total = own.reduce((sum, { size }) => sum + size, 0);
  let state = streamSeed(config.seed, [STREAM.content, lane]);
  let turn = mulberry32(streamSeed(config.seed, [STREAM.turn, lane]));
  const draw = () => {
    state = (state + STEP) | 0;
    return mulberry32(state);
  };
  return function next() {
    turn = (turn + GOLDEN) % 1;
    let left = turn * total;
    let server = 0;
    while (server < own.length - 1 && left >= own[server].size) {
      left -= own[server].size;
      server += 1;
    }
    const { size } = own[server];
    const places = [];
    const texts = [];
    for (let k = 0; k < config.commandsPerPost; k++) {
      places.push(Math.floor(draw() * size));
      texts.push(MONSTER_TEXTS[Math.floor(draw() * MONSTER_TEXTS.length)]);
    }
    return { server, places, texts };
  };
}

const DIRECTIONS = ['north', 'east', 'south', 'west'];

// What a player says, one call after the other. It knows what the server told it, and no more: half of the intents
// are moves (a tenth of them into any wall), a quarter looks, some talk, the rest attacks somebody who is there.
// "catchUp" is called before that: what was heard and not told to "hear" yet is due then.
function playerVoice(config, player, catchUp) {
  let state = streamSeed(config.seed, [STREAM.talk, player]);
  let exits = [];
  let present = null;
  const draw = () => {
    state = (state + STEP) | 0;
    return mulberry32(state);
  };
  return {
    // A welcome, a move or a look tells of the place.
    see(place) {
      if (Array.isArray(place.exits)) {
        exits = [];
        for (let d = 0; d < DIRECTIONS.length; d++) {
          if (place.exits.includes(DIRECTIONS[d])) exits.push(DIRECTIONS[d]);
        }
      }
      if (Array.isArray(place.present)) present = place.present.length > 0 ? place.present[0] : null;
    },
    hear(event) {
      if (event.did !== 'left') present = event.actor;
      else if (event.actor === present) present = null;
    },
    say() {
      const choice = draw();
      if (choice < 0.45) {
        const exit = exits[Math.floor(draw() * exits.length)];
        return exit === undefined ? 'look' : 'go ' + exit;
      }
      if (choice < 0.5) return 'go ' + DIRECTIONS[Math.floor(draw() * DIRECTIONS.length)];
      if (choice < 0.75) return 'look';
      if (choice < 0.85) return 'say hello';
      catchUp();
      return present === null ? 'look' : 'attack ' + present;
    },
  };
}

// One value for a whole schedule, in whatever order its operations are added: two tools that asked for the same
// things at the same times have the same one. "operation" is 0 for intents and 1 for monster commands.
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

/**
 * What is due when, and what it is, as JavaScript. It has to say the same as load/pacer.ts, ../monsters/lanes.ts and
 * ../player.ts; test/systems/flux/k6/schedule.test.ts runs both and compares.
 */
export const FLUX_SCHEDULE_SOURCE = `
// --- What is due, and what it is ----------------------------------------------------------------------------------
const STREAM = { arrival: 1, phase: 2, post: 3, talk: 11, content: 21, turn: 22 };

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
`;

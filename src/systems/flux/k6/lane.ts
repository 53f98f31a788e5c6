/** One virtual user that is one lane of monsters, as JavaScript. */
export const LANE_SOURCE = `
// --- A lane of monsters: one virtual user -----------------------------------------------------------------------------
// Monster commands go in posts to the world server that owns the monsters; 202 means accepted, and a WebSocket tells
// which posts have committed. A monster's numbers have to arrive in order, and k6 cannot pipeline: a lane has one post
// under way to each server, and further ones wait.

const monsterCommands = OPERATIONS.monsterCommand;

// From a lane's end to its account, which takes a while: the last answers to others are not to wait for it.
const QUIET_MS = 500;

const monsterAt = ({ first }, place) => first + CONFIG.lanes * place;

// The book of a monster, all of whose numbers are acknowledged but the missing ones.
function bookWithout(base, last, missing) {
  const book = openBook(base);
  const unacked = new Set(missing);
  for (let seq = base + 1; seq <= last; seq++) if (!unacked.has(seq)) acknowledge(book, seq);
  book.last = last;
  return book;
}

// The hash of a lane's first posts, which are drawn once more: meanwhile it would take as long as all the rest.
function hashOfPosts(lane, owned, posts) {
  const schedule = laneSchedule(CONFIG, lane);
  const content = laneContent(CONFIG, lane, owned);
  const hash = scheduleHash();
  const planned = new Map(); // monster -> its commands until now
  for (let post = 0; post < posts; post++) {
    const due = schedule();
    const { server, places } = content();
    for (let k = 0; k < places.length; k++) {
      const monster = monsterAt(owned[server], places[k]);
      const sequence = (planned.get(monster) || 0) + 1;
      planned.set(monster, sequence);
      hash.add(1, CONFIG.players + monster, sequence, due);
    }
  }
  return hash;
}

export function lane(data) {
  const own = exec.scenario.iterationInTest;
  const schedule = laneSchedule(CONFIG, own);
  const owned = data.worlds.map(({ monsters }) => laneMonsters(CONFIG, own, monsters));
  const content = laneContent(CONFIG, own, owned);
  const generator = data.run + '-lane-' + own;
  const now = () => Date.now() - data.go;
  const n = CONFIG.commandsPerPost;

  let cameDue = 0; // posts
  const complaints = new Set();
  let nextDue = schedule();
  let next = content();
  let timer = null;
  let over = false;
  let bytes = 0;
  let toldAt = 0;
  const links = nextDue === NEVER ? [] : data.worlds.map((world, server) => ({
    world,
    from: data.worlds[server].monsters.from,
    first: owned[server].first,
    size: owned[server].size,
    socket: null,
    state: 'connecting', // then ready; lost
    attempts: 0,
    base: [], // by monster of ours there: the number that it had used last
    last: [], // and that it has
    ableAt: -Infinity,
    underway: false,
    lastPost: 0,
    sent: new Map(), // post -> what it holds, until it is committed
    unacked: [], // posts that will never be
    waiting: [],
  }));

  setTimeout(() => {
    if (links.length === 0) lanesReady.add(1); // nothing to do is nothing to wait for
    for (const link of links) open(link);
    arm();
  }, Math.max(0, data.connectFrom - Date.now()));

  function open(link) {
    const own = new WebSocket(link.world.url.replace(/^http/, 'ws') + '/commits?generator=' + generator, null, {
      headers: HEADERS,
    });
    link.socket = own;
    own.onopen = () => {
      if (over || own !== link.socket || link.state !== 'connecting') own.close();
      else setTimeout(() => tryAgain(link, own, 'no welcome'), WELCOME_MS);
    };
    own.onmessage = (message) => {
      if (over || own !== link.socket || link.state === 'lost') return;
      const frame = readFrame(message.data);
      if (link.state === 'connecting') {
        if (frame === null || !frame.welcome) return tryAgain(link, own, 'the first frame was no welcome');
        const used = frame.welcome.lastSeq;
        for (let place = 0; place < link.size; place++) {
          link.base.push(Array.isArray(used) ? used[monsterAt(link, place) - link.from] || 0 : 0);
        }
        link.last = link.base.slice();
        link.state = 'ready';
        lanesReady.add(1 / links.length);
        link.ableAt = now();
        pump(link);
        return;
      }
      bytes += frameBytes(message.data.length);
      if (frame === null || !Array.isArray(frame.commits)) return lose(link, own, 'a frame is not of the protocol');
      for (const [post, ok, rejected] of frame.commits) commit(link, post, ok, rejected);
      if (nextDue === NEVER) arm();
    };
    own.onerror = (error) => lose(link, own, String(error.error));
    own.onclose = (close) => lose(link, own, 'the server closed it (code ' + close.code + ')');
  }

  function tryAgain(link, own, why) {
    if (over || own !== link.socket || link.state !== 'connecting') return;
    link.attempts += 1;
    if (link.attempts >= MOST_ATTEMPTS) return giveUp(link, why);
    link.socket = null;
    hangUp(own);
    setTimeout(() => open(link), RETRY_MS);
  }

  function lose(link, own, why) {
    if (over || own !== link.socket || link.state === 'lost') return;
    if (link.state === 'connecting') return tryAgain(link, own, why);
    giveUp(link, why);
  }

  function giveUp(link, why) {
    disconnects.add(1);
    linesLost.add(1);
    complaints.add('the connection for commits: ' + link.world.url + ': ' + why);
    link.state = 'lost';
    for (const post of link.sent.values()) {
      if (!post.settled) monsterCommands.missed('failed', n, post.due);
      link.unacked.push(post);
    }
    link.sent.clear();
    for (const post of link.waiting) monsterCommands.missed('failedUnsent', n, post.due);
    link.waiting = [];
    hangUp(link.socket);
    arm();
  }

  function comeDue(due, at) {
    const { server, places, texts } = next;
    cameDue += 1;
    monsterCommands.scheduled(n, due);
    const link = links[server];
    if (link.state === 'lost') return monsterCommands.missed('failedUnsent', n, due);
    const able = link.state === 'ready' && !link.underway && link.waiting.length === 0;
    const post = { due, places, texts, seqs: [], sent: 0, settled: false };
    if (at - dueMs(due) > SKIP_AFTER_MS) {
      if (able) monsterCommands.late(due, at - Math.max(dueMs(due), link.ableAt));
      monsterCommands.missed('skipped', n, due);
    } else if (able) send(link, post);
    else link.waiting.push(post);
  }

  function send(link, post) {
    const { places, texts, seqs } = post;
    const { last } = link;
    const firstId = CONFIG.players + link.first;
    const rows = [];
    for (let k = 0; k < n; k++) {
      const place = places[k];
      const seq = last[place] + 1;
      last[place] = seq;
      seqs.push(seq);
      rows.push(\`[\${firstId + CONFIG.lanes * place},\${seq},"\${texts[k]}"]\`);
    }
    const body = '[' + rows.join(',') + ']';
    const number = ++link.lastPost;
    post.sent = now();
    link.sent.set(number, post);
    link.underway = true;
    monsterCommands.late(post.due, post.sent - Math.max(dueMs(post.due), link.ableAt));
    bytes += body.length;
    http
      .asyncRequest('POST', link.world.url + '/commands?generator=' + generator + '&post=' + number, body, {
        headers: Object.assign({ 'content-type': 'application/json' }, HEADERS),
        tags: { name: '/commands' },
        timeout: TIMEOUT_MS + CONFIG.drainSeconds * 1000,
      })
      .then((response) => {
        link.underway = false;
        if (over || link.state === 'lost') return;
        link.ableAt = now();
        if (response.status !== 202) refuse(link, number, post, response);
        pump(link);
        if (nextDue === NEVER) arm();
      });
  }

  function refuse(link, number, post, response) {
    if (response.status === 0) return giveUp(link, 'a post: ' + response.error);
    complaints.add('a post of monster commands was answered ' + response.status + ': ' + response.body);
    // Nothing of it was applied: no commit will come.
    link.sent.delete(number);
    link.unacked.push(post);
    if (!post.settled) monsterCommands.missed('failed', n, post.due);
  }

  function commit(link, number, ok, rejected) {
    const post = link.sent.get(number);
    if (post === undefined || ok + rejected !== n) {
      strayAnswers.add(1);
      complaints.add('a world server committed a post, or a number of commands, that was not waiting for it');
      return;
    }
    const at = now();
    if (!post.settled) {
      if (at - post.sent > TIMEOUT_MS) monsterCommands.missed('timedOut', n, post.due);
      else monsterCommands.answered(n, ok, post.due, post.sent, at);
    }
    link.sent.delete(number);
  }

  function pump(link) {
    const at = now();
    while (link.waiting.length > 0) {
      const late = at - dueMs(link.waiting[0].due) > SKIP_AFTER_MS;
      if (late) monsterCommands.missed('skipped', n, link.waiting.shift().due);
      else if (link.state !== 'ready' || link.underway) return;
      else send(link, link.waiting.shift());
    }
  }

  function comeDueUntil(at) {
    while (dueMs(nextDue) <= at) {
      comeDue(nextDue, at);
      next = content(); // ahead of its time: it takes longer than sending
      nextDue = schedule();
    }
  }

  function wake() {
    const at = now();
    comeDueUntil(at);
    for (const link of links) {
      for (const post of link.sent.values()) {
        if (at - post.sent <= TIMEOUT_MS) break;
        if (post.settled) continue;
        post.settled = true; // a commit may still come, and is then in the books
        monsterCommands.missed('timedOut', n, post.due);
      }
      pump(link);
    }
    if (at - toldAt >= 1000) tellBytes(at);
    arm();
  }

  function arm() {
    if (over) return;
    let at = Math.min(dueMs(nextDue), DRAIN_END_MS);
    let drained = nextDue === NEVER;
    for (const link of links) {
      if (link.waiting.length > 0) {
        at = Math.min(at, dueMs(link.waiting[0].due) + SKIP_AFTER_MS + 1);
        drained = false;
      }
      for (const post of link.sent.values()) {
        if (post.settled) continue;
        at = Math.min(at, post.sent + TIMEOUT_MS + 1);
        drained = false;
        break;
      }
    }
    if (drained) at = Math.min(at, END_MS);
    const t = now();
    if (t >= DRAIN_END_MS || (drained && t >= END_MS)) return finish();
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(wake, Math.max(0, at - t));
  }

  function tellBytes(at) {
    if (bytes > 0) commandBytes.add(bytes);
    bytes = 0;
    toldAt = at;
  }

  function finish() {
    comeDueUntil(now());
    over = true;
    if (timer !== null) clearTimeout(timer);
    for (const link of links) {
      for (const post of link.sent.values()) if (!post.settled) monsterCommands.missed('unfinished', n, post.due);
      for (const post of link.waiting) monsterCommands.missed('skipped', n, post.due);
      hangUp(link.socket);
    }
    tellBytes(now());
    if (UNDER_CAPBENCH) setTimeout(tell, QUIET_MS);
  }

  // A monster's numbers are dense: acknowledged are all but those of posts that were not committed.
  function tell() {
    const books = [];
    for (const link of links) {
      const missing = new Map(); // place -> its numbers that nobody acknowledged
      for (const { places, seqs } of link.unacked.concat(Array.from(link.sent.values()))) {
        for (let k = 0; k < seqs.length; k++) missing.set(places[k], (missing.get(places[k]) || []).concat(seqs[k]));
      }
      for (let place = 0; place < link.last.length; place++) {
        if (link.last[place] === link.base[place]) continue;
        const id = CONFIG.players + monsterAt(link, place);
        books.push(pageOf(id, bookWithout(link.base[place], link.last[place], missing.get(place) || []), 0));
      }
    }
    tellBooks(books, hashOfPosts(own, owned, cameDue), complaints);
  }
}
`;
